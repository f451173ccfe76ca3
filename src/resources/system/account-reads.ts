import { batchRead } from '../../model/resource/read.ts'
import { sh } from '../../shell/sh.ts'

/** A name of a user or group that useradd accepts: no leading dash, at most 32 bytes. A number is the id of a user or group. */
const NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,30}[A-Za-z0-9_.$-]?$/
const NUMBER = /^\d+$/

/** True for the name of a user or group. */
export function isAccountName(name: string): boolean {
  return NAME.test(name) && !NUMBER.test(name)
}

/** True for the name or the number of a user or group. */
export function isAccountReference(name: string): boolean {
  return NAME.test(name)
}

/** The largest number of a user or group; the one above it means "none" in some system calls. */
const LARGEST_ID = 4_294_967_294

/** @throws TypeError for anything but a number that a user or group can have */
export function checkId(what: string, id: number | undefined): void {
  if (id !== undefined && (!Number.isInteger(id) || id < 0 || id > LARGEST_ID))
    throw new TypeError(`${what}: ${id} is not a whole number from 0 to ${LARGEST_ID}`)
}

export interface Account {
  readonly name: string
  readonly uid: string
  readonly gid: string
  readonly comment: string
  readonly home: string
  readonly shell: string
}

interface AccountQuery {
  /** The name of a user, or a uid. */
  readonly name: string
  /** The directory whose files usermod gives to a new primary group or uid. */
  readonly regroups: string | undefined
}

/** A user by name or uid; undefined if there is none. */
export const account = batchRead<AccountQuery, Account | undefined>({
  name: 'users',
  // useradd may create the group of that name, and usermod changes the group of the files in the home directory.
  dependsOn: ({ name, regroups }) => [
    `/etc/passwd/${name}`,
    `/etc/group/${name}`,
    ...(regroups === undefined ? [] : [regroups]),
  ],
  shared: true,
  script: (logins) => sh`getent passwd -- ${logins.map(({ name }) => name)}`,
  parse: ({ stdout }, logins) => {
    const users = stdout.split('\n').map((line): Account => {
      const [name = '', , uid = '', gid = '', comment = '', home = '', shell = ''] = line.split(':')
      return { name, uid, gid, comment, home, shell }
    })
    return logins.map(
      ({ name }) =>
        users.find((one) => one.name === name) ?? users.find(({ uid }) => NUMBER.test(name) && uid === name),
    )
  },
  // On a fake host the ids of users and groups are their names, unless a step sets them.
  fakeValue: ({ users }, { name }) => {
    const entries = [...users].map(([own, { group, home, shell, uid = own, comment = '' }]) => {
      return { name: own, uid, gid: group, comment, home, shell }
    })
    return entries.find((one) => one.name === name) ?? entries.find(({ uid }) => uid === name)
  },
})

export interface UserGroup {
  readonly name: string
  readonly gid: string
  readonly members: readonly string[]
}

/** A group by name or id; undefined if there is none. */
export const groupOf = batchRead<string, UserGroup | undefined>({
  name: 'groups',
  dependsOn: (name) => [`/etc/group/${name}`],
  shared: true,
  script: (names) => sh`getent group -- ${names}`,
  parse: ({ stdout }, names) => {
    const groups = groupsIn(stdout)
    return names.map((wanted) => groups.find(({ name }) => name === wanted) ?? groups.find(({ gid }) => gid === wanted))
  },
  fakeValue: ({ groups, gids }, name) => {
    const own = groups.has(name) ? name : [...gids].find(([, gid]) => gid === name)?.[0]
    const members = own === undefined ? undefined : groups.get(own)
    return own !== undefined && members ? { name: own, gid: gids.get(own) ?? own, members } : undefined
  },
})

/** The names of all groups that list this user as a member. */
export const groupsListing = batchRead<string, readonly string[]>({
  name: 'memberships',
  dependsOn: () => ['/etc/group'],
  shared: true,
  script: () => sh`getent group`,
  parse: ({ stdout }, users) => {
    const groups = groupsIn(stdout)
    return users.map((user) => groups.filter(({ members }) => members.includes(user)).map(({ name }) => name))
  },
  fakeValue: ({ groups }, user) => [...groups].flatMap(([name, members]) => (members.includes(user) ? [name] : [])),
})

function groupsIn(stdout: string): readonly UserGroup[] {
  return stdout.split('\n').flatMap((line): readonly UserGroup[] => {
    const [name = '', , gid = '', members = ''] = line.split(':')
    return name === '' ? [] : [{ name, gid, members: members.split(',').filter((one) => one !== '') }]
  })
}

/** The password entry of a user. The hash itself does not leave the host. */
export interface ShadowEntry {
  /** The SHA-256 of the password hash, without the mark of a lock; undefined without a password. */
  readonly password: string | undefined
  /** True if the password is locked. An account without a password may be locked, too. */
  readonly locked: boolean
  /** Days since 1970; undefined if the account does not expire. */
  readonly expires: number | undefined
}

/** The password entry of a user; undefined if there is none. One process for each user besides `getent`. */
export const shadowOf = batchRead<string, ShadowEntry | undefined>({
  name: 'password entries',
  dependsOn: (name) => [`/etc/passwd/${name}`],
  shared: true,
  script: (
    names,
  ) => sh`getent shadow -- ${names} | while IFS=: read -r name hash last least most warned inactive expires rest; do
  locked=no
  while :; do case $hash in '!'*) locked=yes hash=\${hash#!} ;; *) break ;; esac; done
  case $hash in ''|'*') digest= ;; *) digest=$(printf %s "$hash" | sha256sum) ;; esac
  printf '%s:%s:%s:%s\n' "$name" "$locked" "$expires" "\${digest%% *}"
done`,
  parse: ({ stdout }, names) => {
    const found = new Map(stdout.split('\n').map((line) => [line.split(':')[0], line.split(':')]))
    return names.map((name) => {
      const [, locked, expires, password] = found.get(name) ?? []
      if (locked === undefined) return undefined
      return {
        locked: locked === 'yes',
        password: password === '' ? undefined : password,
        expires: expires === '' || expires === undefined ? undefined : Number(expires),
      }
    })
  },
  fakeValue: ({ users }, name) => {
    const found = users.get(name)
    return found && { locked: found.locked ?? false, password: found.password, expires: found.expires }
  },
})
