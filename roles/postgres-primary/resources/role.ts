import { compare, Problem, resource, type Secret } from 'provision-ts'
import { identifier, literal, queryRow, sqlCommand } from '../../postgres/lib/psql.ts'
import { matchesVerifier, scramVerifier } from '../../postgres/lib/scram.ts'

interface PostgresRoleParams {
  readonly name: string
  /** @default none: login by the local socket only */
  readonly password?: Secret
  /** Replicas log in as this role. @default false */
  readonly replication?: boolean
}

interface Found {
  readonly rights: string
  readonly password: string | null
}

/**
 * A role with SCRAM login, and no other rights except replication. Its password is compared and set as a verifier. Setting the plain password
 * in each run would store a new salt.
 */
export const postgresRole = resource<PostgresRoleParams, Found | undefined>('database role', {
  id: ({ name }) => name,
  affects: 'itself',
  read: ({ name }) =>
    queryRow<Found>(
      `select concat_ws(' ', case when rolcanlogin then 'login' end, case when rolreplication then 'replication' end,
         case when rolsuper then 'superuser' end, case when rolcreaterole then 'createrole' end,
         case when rolcreatedb then 'createdb' end, case when rolbypassrls then 'bypassrls' end) as rights,
       rolpassword as password from pg_authid where rolname = ${literal(name)}`,
    ),
  diff: ({ name, password, replication = false }, have) => {
    if (password?.reveal() === '')
      throw new Problem(`The password of the database role ${name} is empty`, {
        next: 'Nothing was changed on the host. Check its source in the inventory.',
      })
    return compare(
      { rights: replication ? 'login replication' : 'login', password: password ? 'as given' : 'none' },
      have && { rights: have.rights, password: passwordOf(have, password) },
    )
  },
  apply: ({ name, password, replication = false }, have) => {
    const rights = `login ${replication ? '' : 'no'}replication nosuperuser nocreaterole nocreatedb nobypassrls`
    // A change of rights alone needs no new salt.
    const same = have && passwordOf(have, password) === (password ? 'as given' : 'none')
    const words = same ? '' : ` password ${password ? literal(scramVerifier(password.reveal())) : 'null'}`
    const verb = have ? 'alter' : 'create'
    return [sqlCommand('postgres', `${verb} role ${identifier(name)} with ${rights}${words}`)]
  },
})

function passwordOf({ password: kept }: Found, given: Secret | undefined): string {
  if (kept === null) return 'none'
  return given && matchesVerifier(given.reveal(), kept) ? 'as given' : 'another'
}
