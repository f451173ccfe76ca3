import { Problem } from '../../model/problem.ts'
import { compare, type Diff, type FieldChange } from '../../model/resource/diff.ts'
import { type FakeState, putPath, removePath } from '../../model/resource/fake-state.ts'
import { readBoth } from '../../model/resource/read.ts'
import { resource, type Step, type StepOptions } from '../../model/resource/step.ts'
import { checkPath } from '../arguments.ts'
import { sha256 } from '../files/content.ts'
import { REMOVED } from '../files/staging.ts'
import { type Account, account, checkId, isAccountName, isAccountReference, type ShadowEntry } from './account-reads.ts'
import { type Login, login } from './login.ts'
import { removeUser, userCommands } from './user-commands.ts'
import {
  dateOf,
  daysOf,
  due,
  stateOf,
  strangers,
  type UserParams,
  type UserPassword,
  type UserState,
} from './user-state.ts'

/** Options of {@link user}. */
export interface UserOptions extends StepOptions {
  /** A system account: id below 1000, no password aging. `false` for a regular user. @default true */
  readonly system?: boolean
  /** The number of the user; files outside of the home directory keep an old number. @default the next free one */
  readonly uid?: number
  /** The full name. @default not changed */
  readonly comment?: string
  /** The home directory. @default '/nonexistent', '/home/NAME' for a regular user */
  readonly home?: string
  /**
   * Creates the home directory from `/etc/skel` if it is missing. If `home` changes, a directory that the user owns is moved. An
   * existing directory is not changed. @default false, true for a regular user
   */
  readonly createHome?: boolean
  /** @default '/usr/sbin/nologin', '/bin/bash' for a regular user */
  readonly shell?: string
  /** The primary group, created by another step. @default a group with the name of the user, created with it */
  readonly group?: string
  /** Supplementary groups, created by other steps. */
  readonly groups?: readonly string[]
  /** Removes the user from all supplementary groups that are not in `groups`. @default false */
  readonly exclusive?: boolean
  /**
   * The hash of the password, as `mkpasswd` prints it. `{ initial: hash }` sets it only if the account has no password, so the user may
   * change it. @default not changed; a new account has no password
   */
  readonly password?: UserPassword
  /** Locks the password; logins by key still work, `expires` ends those. @default not changed */
  readonly locked?: boolean
  /** The first day on which the account cannot be used, such as `2027-01-31`, or `never`. @default not changed */
  readonly expires?: string
}

/**
 * A user, with a group of the same name unless `group` is given.
 *
 * @throws TypeError for an invalid name, path, number or date
 * @throws Problem (on the host) for a uid of another user, and for a password that is not a hash
 * @example user('shop', { home: '/srv/shop' })
 * @example user('ana', { system: false, comment: 'Ana Souza', groups: ['sudo'], password: secret.age('secrets/ana.age') })
 */
export function user(
  name: string,
  {
    system = true,
    home = system ? '/nonexistent' : `/home/${name}`,
    createHome = !system,
    shell = system ? '/usr/sbin/nologin' : '/bin/bash',
    groups = [],
    ...rest
  }: UserOptions = {},
): Step {
  const { uid, comment, group, exclusive = false, password, locked, expires, ...options } = rest
  checkUserName('user', name)
  for (const one of group === undefined ? groups : [group, ...groups])
    if (!isAccountReference(one)) throw new TypeError(`user ${name}: "${one}" is not the name of a group`)
  checkPath(`user ${name}: home`, home, { root: true })
  checkPath(`user ${name}: shell`, shell)
  checkId(`user ${name}: uid`, uid)
  if (comment !== undefined && /[:\n\0]/.test(comment))
    throw new TypeError(`user ${name}: the comment has a colon or several lines`)
  const params = { name, system, uid, comment, home, createHome, shell, group, groups, exclusive }
  return userStep({ ...params, password, locked, expires: daysOf(name, expires) }, options)
}

/**
 * No user of this name. Its own group goes with it; its files stay, `home: 'remove'` moves its home directory to
 * `/var/lib/provision/removed`.
 *
 * @throws TypeError for an invalid name and for root
 * @throws Problem (on the host) for the user of this connection
 */
user.absent = (
  name: string,
  { home = 'keep', ...options }: StepOptions & { readonly home?: 'keep' | 'remove' } = {},
): Step => {
  checkUserName('user.absent', name)
  if (name === 'root') throw new TypeError('user.absent: root cannot be removed')
  return absentStep({ name, home }, options)
}

function checkUserName(what: string, name: string): void {
  if (!isAccountName(name)) throw new TypeError(`${what}: "${name}" is not the name of a user`)
}

const userStep = resource<UserParams, UserState>('user', {
  id: ({ name }) => name,
  affects: 'itself',
  read: stateOf,
  diff: (params, have) => {
    const { name, home, shell, group, uid, comment } = params
    const own = have.account
    const primary = own && group !== undefined && own.gid === have.primary?.gid ? group : own?.gid
    const found = compare(
      { uid: uid === undefined ? undefined : String(uid), comment, home, shell, 'primary group': group },
      own && { ...own, 'primary group': primary },
    )
    const fields = [
      ...(found?.fields ?? []),
      ...(params.createHome && !have.homeEntry ? [{ name: 'home directory', to: home }] : []),
      ...have.missing.map((one) => ({ name: 'group', to: one })),
      ...strangers(params, have).map((one) => ({ name: 'group', from: one, to: 'absent' })),
      ...shadowFields(params, have),
    ]
    if (!found && fields.length === 0) return undefined
    const problem = problemOf(name, params, have)
    return { action: found?.action ?? 'change', fields, ...(problem && { problem }) }
  },
  apply: (params, have) =>
    userCommands(params, have, { strangers: strangers(params, have), password: due(params, have) }),
  simulate: simulateUser,
})

function shadowFields(params: UserParams, have: UserState): readonly FieldChange[] {
  const { locked, expires } = params
  const { shadow } = have
  const fields: FieldChange[] = []
  // A hash in a log would allow guessing the password.
  if (due(params, have)) fields.push({ name: 'password', to: 'a secret' })
  if (locked !== undefined && (shadow?.locked ?? !locked) !== locked)
    fields.push({ name: 'locked', ...(shadow && { from: String(shadow.locked) }), to: String(locked) })
  const date = expires === 'never' ? undefined : expires
  if (expires !== undefined && shadow?.expires !== date)
    fields.push({ name: 'expires', ...(shadow && { from: dateOf(shadow.expires) }), to: dateOf(date) })
  return fields
}

function problemOf(name: string, params: UserParams, have: UserState): Problem | undefined {
  const { uid, locked, password } = params
  if (uid !== undefined && have.holder && have.holder.name !== name)
    return new Problem(`The uid ${uid} belongs to ${have.holder.name}`, {
      next: 'Choose another uid, or remove that user in a step before this one.',
    })
  if (locked === false && password === undefined && have.shadow?.locked && have.shadow.password === undefined)
    return new Problem(`${name} has no password, so its password cannot be unlocked`, {
      next: 'Give it a password, or leave out locked.',
    })
  const admin = strangers(params, have).find((one) => ['sudo', 'wheel', 'admin'].includes(one))
  if (admin !== undefined && have.login?.user === name)
    return new Problem(`${name} would leave the group ${admin}, and this connection logs in as ${name}`, {
      next: `Add ${admin} to groups, or leave out exclusive.`,
    })
  return undefined
}

function simulateUser(params: UserParams, host: FakeState): void {
  const { name, home, shell, group = name, groups, uid, comment, expires } = params
  const before = host.users.get(name)
  const password = due(params, { ...NO_STATE, shadow: shadowIn(before) })
  host.users.set(name, {
    ...before,
    ...{ group, home, shell },
    ...(uid !== undefined && { uid: String(uid) }),
    ...(comment !== undefined && { comment }),
    ...(password && { password: sha256(password) }),
    ...(params.locked !== undefined && { locked: params.locked }),
    ...(expires !== undefined && { expires: expires === 'never' ? undefined : expires }),
  })
  if (params.exclusive)
    for (const [one, members] of host.groups)
      host.groups.set(
        one,
        members.filter((member) => member !== name || groups.includes(one)),
      )
  for (const one of [group, ...groups]) {
    const members = host.groups.get(one) ?? []
    const joins = one !== group && !members.includes(name)
    host.groups.set(one, joins ? [...members, name] : members)
  }
  if (params.createHome && !host.paths.has(home))
    putPath(host, home, { type: 'directory', owner: name, group, mode: '0700' })
}

function shadowIn(found: ReturnType<FakeState['users']['get']>): ShadowEntry | undefined {
  return found && { locked: found.locked ?? false, password: found.password, expires: found.expires }
}

const NO_STATE: UserState = {
  ...{ account: undefined, primary: undefined, missing: [], memberships: [] },
  ...{ holder: undefined, shadow: undefined, homeEntry: undefined, login: undefined },
}

interface AbsentParams {
  readonly name: string
  readonly home: 'keep' | 'remove'
}

const absentStep = resource<AbsentParams, readonly [Account | undefined, Login | undefined]>('user', {
  id: ({ name }) => name,
  // The home directory is known only after the read.
  affects: 'host',
  read: ({ name }) => readBoth(account({ name, regroups: undefined }), login),
  diff: ({ name, home }, [have, session]): Diff | undefined => {
    if (!have) return undefined
    if (session?.user === name)
      throw new Problem(`This connection logs in as ${name}, so ${name} is not removed`, {
        next: 'Log in as another user first: set ssh.user of the host in the inventory.',
      })
    const moved = { name: 'home directory', from: have.home, to: `moved to ${REMOVED}` }
    return {
      action: 'remove',
      fields: [{ name: 'uid', from: have.uid, to: 'absent' }, ...(home === 'remove' ? [moved] : [])],
    }
  },
  apply: ({ name, home }, [have]) => removeUser(name, home === 'remove' ? have?.home : undefined),
  simulate: ({ name, home }, host) => {
    const own = host.users.get(name)
    host.users.delete(name)
    for (const [one, members] of host.groups)
      host.groups.set(
        one,
        members.filter((member) => member !== name),
      )
    if (own?.group === name) host.groups.delete(name)
    if (own && home === 'remove') removePath(host, own.home)
  },
})
