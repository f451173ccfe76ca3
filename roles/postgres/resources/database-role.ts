import { compare, Problem, resource, type Secret, type Step, type StepOptions } from 'provision-ts'
import { identifier, literal, queryRow, sqlCommand, storeRow } from '../lib/psql.ts'
import { matchesVerifier, scramVerifier } from '../lib/scram.ts'

/** Options of {@link postgresRole}. */
export interface PostgresRoleOptions extends StepOptions {
  /** @default none: login by the local socket only */
  readonly password?: Secret
  /** @default true */
  readonly login?: boolean
  /** Replicas log in as this role. @default false */
  readonly replication?: boolean
  /** @default false */
  readonly superuser?: boolean
  /** @default false */
  readonly createRoles?: boolean
  /** @default false */
  readonly createDatabases?: boolean
  /** Roles that it is a member of. Other memberships stay. @default none */
  readonly memberOf?: readonly string[]
}

/**
 * A role of the PostgreSQL server, with SCRAM login, and no other rights than the given ones. Its password is compared and set as a verifier,
 * so the same password is no change. No process list and no log has it.
 *
 * The step runs on the host of the primary, as superuser over the local socket of port 5432.
 *
 * @throws Problem (on the host) for an empty password
 * @example postgresRole('shop', { password: new Secret(() => 'correct horse'), memberOf: ['readers'] })
 */
export function postgresRole(name: string, options: PostgresRoleOptions = {}): Step {
  const { password, login = true, replication = false, superuser = false, ...others } = options
  const { createRoles = false, createDatabases = false, memberOf = [], ...more } = others
  const rights = { login, replication, superuser, createrole: createRoles, createdb: createDatabases, bypassrls: false }
  return roleStep({ name, rights, memberOf, ...(password && { password }) }, more)
}

interface RoleParams {
  readonly name: string
  readonly password?: Secret
  /** In the order of the query. */
  readonly rights: Readonly<Record<string, boolean>>
  readonly memberOf: readonly string[]
}

interface Found {
  readonly rights: string
  readonly password: string | null
  /** The roles that it is a member of. */
  readonly groups: readonly string[]
}

const roleStep = resource<RoleParams, Found | undefined>('database role', {
  id: ({ name }) => name,
  affects: 'itself',
  read: ({ name }) => queryRow<Found>(queryOf(name)),
  diff: ({ name, rights, password, memberOf }, have) => {
    if (password?.reveal() === '')
      throw new Problem(`The password of the database role ${name} is empty`, {
        next: 'Nothing was changed on the host. Check its source in the inventory.',
      })
    const groups = Object.fromEntries(memberOf.map((group) => [`member of ${group}`, 'yes']))
    return compare(
      { rights: wordsOf(rights), password: password ? 'as given' : 'none', ...groups },
      have && {
        rights: have.rights,
        password: passwordOf(have, password),
        ...Object.fromEntries(
          memberOf.map((group) => [`member of ${group}`, have.groups.includes(group) ? 'yes' : 'no']),
        ),
      },
    )
  },
  apply: ({ name, rights, password, memberOf }, have) => {
    const words = Object.entries(rights).map(([right, isGiven]) => (isGiven ? right : `no${right}`))
    // A change of rights alone needs no new salt.
    const same = have && passwordOf(have, password) === (password ? 'as given' : 'none')
    const secret = same ? '' : ` password ${password ? literal(scramVerifier(password.reveal())) : 'null'}`
    const missing = memberOf.filter((group) => !have?.groups.includes(group))
    return [
      sqlCommand(
        'postgres',
        `${have ? 'alter' : 'create'} role ${identifier(name)} with ${words.join(' ')}${secret}`,
        ...missing.map((group) => `grant ${identifier(group)} to ${identifier(name)}`),
      ),
    ]
  },
  simulate: ({ name, rights, password, memberOf }, host) =>
    storeRow(host, queryOf(name), {
      rights: wordsOf(rights),
      password: password ? scramVerifier(password.reveal()) : null,
      groups: memberOf,
    }),
})

function queryOf(name: string): string {
  return `select concat_ws(' ', case when rolcanlogin then 'login' end, case when rolreplication then 'replication' end,
       case when rolsuper then 'superuser' end, case when rolcreaterole then 'createrole' end,
       case when rolcreatedb then 'createdb' end, case when rolbypassrls then 'bypassrls' end) as rights,
     rolpassword as password,
     (select coalesce(json_agg(pg_get_userbyid(roleid)), '[]') from pg_auth_members where member = pg_authid.oid) as groups
     from pg_authid where rolname = ${literal(name)}`
}

function wordsOf(rights: Readonly<Record<string, boolean>>): string {
  return Object.keys(rights)
    .filter((right) => rights[right])
    .join(' ')
}

function passwordOf({ password: kept }: Found, given: Secret | undefined): string {
  if (kept === null) return 'none'
  return given && matchesVerifier(given.reveal(), kept) ? 'as given' : 'another'
}
