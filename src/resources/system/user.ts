import type { Command, Explanation } from '../../model/resource/command.ts'
import { compare } from '../../model/resource/diff.ts'
import { batchRead, known, mapRead, type Read, readAll, readBoth } from '../../model/resource/read.ts'
import { resource, type Step, type StepOptions } from '../../model/resource/step.ts'
import { type Shell, sh } from '../../shell/sh.ts'
import { checkPath } from '../arguments.ts'

interface UserOptions extends StepOptions {
  /** A system account: id below 1000, no password aging. @default true */
  readonly system?: boolean
  /** The home directory, which is not created. @default '/nonexistent' */
  readonly home?: string
  /** @default '/usr/sbin/nologin' */
  readonly shell?: string
  /** The primary group, created by another step. @default a group with the name of the user, created with it */
  readonly group?: string
  /** Supplementary groups; the user is not removed from others. */
  readonly groups?: readonly string[]
}

/** A name of a user or group that useradd accepts: no leading dash, at most 32 bytes. A number is the id of a user or group. */
const NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,30}[A-Za-z0-9_.$-]?$/
const NUMBER = /^\d+$/

interface Account {
  readonly gid: string
  readonly home: string
  readonly shell: string
}

interface UserQuery {
  readonly name: string
  /** The directory whose files usermod gives to a new primary group. */
  readonly regroups: string | undefined
}

const account = batchRead<UserQuery, Account | undefined>({
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
    const lines = new Map(stdout.split('\n').map((line) => [line.split(':')[0], line.split(':')]))
    return logins.map(({ name }) => {
      const line = lines.get(name)
      return line && { gid: line[3] ?? '', home: line[5] ?? '', shell: line[6] ?? '' }
    })
  },
  // On a fake host the ids of groups are their names.
  fakeValue: ({ users }, { name }) => {
    const found = users.get(name)
    return found && { gid: found.group, home: found.home, shell: found.shell }
  },
})

interface Group {
  readonly name: string
  readonly gid: string
  readonly members: readonly string[]
}

/** A group by name or id; undefined if there is none. */
const groupOf = batchRead<string, Group | undefined>({
  name: 'groups',
  dependsOn: (name) => [`/etc/group/${name}`],
  shared: true,
  script: (names) => sh`getent group -- ${names}`,
  parse: ({ stdout }, names) => {
    const groups = stdout.split('\n').map((line): Group => {
      const [name = '', , gid = '', members = ''] = line.split(':')
      return { name, gid, members: members.split(',').filter((one) => one !== '') }
    })
    return names.map((wanted) => groups.find(({ name }) => name === wanted) ?? groups.find(({ gid }) => gid === wanted))
  },
  fakeValue: ({ groups }, name) => {
    const members = groups.get(name)
    return members && { name, gid: name, members }
  },
})

/**
 * A user, with a group of the same name unless `group` is given.
 *
 * @throws TypeError for an invalid name or path
 * @example user('notes', { home: '/srv/notes' })
 */
export function user(
  name: string,
  {
    system = true,
    home = '/nonexistent',
    shell = '/usr/sbin/nologin',
    group,
    groups = [],
    ...options
  }: UserOptions = {},
): Step {
  if (!NAME.test(name) || NUMBER.test(name)) throw new TypeError(`user: "${name}" is not the name of a user`)
  for (const one of group === undefined ? groups : [group, ...groups])
    if (!NAME.test(one)) throw new TypeError(`user ${name}: "${one}" is not the name of a group`)
  checkPath(`user ${name}: home`, home, { root: true })
  checkPath(`user ${name}: shell`, shell)
  return userStep({ name, system, home, shell, group, groups }, options)
}

interface UserParams {
  readonly name: string
  readonly system: boolean
  readonly home: string
  readonly shell: string
  readonly group: string | undefined
  readonly groups: readonly string[]
}

/** The account, its wanted primary group, and the wanted groups that it is not in. */
type UserState = readonly [readonly [Account | undefined, Group | undefined], readonly string[]]

const userStep = resource<UserParams, UserState>('user', {
  id: ({ name }) => name,
  affects: 'itself',
  read: ({ name, home, group, groups }) =>
    readBoth(
      readBoth(account({ name, regroups: group && home }), group === undefined ? known(undefined) : groupOf(group)),
      missingGroups(name, groups),
    ),
  diff: ({ home, shell, group, groups }, [[have, own], missing]) => {
    const primary = have && group !== undefined && have.gid === own?.gid ? group : have?.gid
    const found = compare({ home, shell, 'primary group': group }, have && { ...have, 'primary group': primary })
    const fields = groups.filter((group) => missing.includes(group)).map((group) => ({ name: 'group', to: group }))
    if (!found && fields.length === 0) return undefined
    return { action: found?.action ?? 'change', fields: [...(found?.fields ?? []), ...fields] }
  },
  apply: ({ name, system, home, shell, group, groups }, [[have]]) => {
    const own = group === undefined ? [] : ['--gid', group]
    const places = ['--home-dir', home, '--shell', shell]
    const kind = system ? ['--system', '--no-create-home'] : []
    const first = have
      ? sh`usermod ${['--home', home, '--shell', shell, ...own]} ${name}`
      : group === undefined
        ? addWithOwnGroup(name, [...kind, ...places])
        : sh`useradd ${[...kind, ...own, ...places]} ${name}`
    const commands: (Shell | Command)[] = [{ script: first, explain: explainUserError }]
    if (groups.length > 0) commands.push(sh`usermod -aG ${groups.join(',')} ${name}`)
    return commands
  },
  simulate: ({ name, home, shell, group = name, groups }, host) => {
    host.users.set(name, { group, home, shell })
    for (const one of [group, ...groups]) {
      const members = host.groups.get(one) ?? []
      const joins = one !== group && !members.includes(name)
      host.groups.set(one, joins ? [...members, name] : members)
    }
  },
})

/** The group may exist already, or be created by an earlier step. */
function addWithOwnGroup(name: string, args: readonly string[]): Shell {
  return sh`own=--user-group
! getent group ${name} >/dev/null || own=${`--gid=${name}`}
useradd "$own" ${args} ${name}`
}

function explainUserError(stderr: string): Explanation | undefined {
  const [, name = '', process] = /user (\S+) is currently used by process (\d+)/.exec(stderr) ?? []
  if (process === undefined) return undefined
  return {
    what: `${name} has running processes (process ${process}), so its home and group cannot change`,
    next: `Stop them in a step before this one, such as service('NAME', { state: 'stopped' }), or on the host: ps -fu ${name}`,
  }
}

function missingGroups(name: string, groups: readonly string[]): Read<readonly string[]> {
  return mapRead(readAll(groups.map(groupOf)), (found) =>
    groups.filter((_group, i) => !found[i]?.members.includes(name)),
  )
}

/** A group of users. @example [groupMember('readers'), user('app', { groups: ['readers'] })] */
export function groupMember(
  name: string,
  { system = true, ...options }: StepOptions & { readonly system?: boolean } = {},
): Step {
  if (!NAME.test(name) || NUMBER.test(name)) throw new TypeError(`groupMember: "${name}" is not the name of a group`)
  return groupStep({ name, system }, options)
}

const groupStep = resource<{ readonly name: string; readonly system: boolean }, Group | undefined>('group', {
  id: ({ name }) => name,
  affects: 'itself',
  read: ({ name }) => groupOf(name),
  diff: (_params, have) => (have ? undefined : { action: 'create', fields: [] }),
  apply: ({ name, system }) => [system ? sh`groupadd --system ${name}` : sh`groupadd ${name}`],
  simulate: ({ name }, { groups }) => void groups.set(name, []),
})
