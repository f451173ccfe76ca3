import type { Command } from '../model/command.ts'
import { compare } from '../model/difference.ts'
import { family, mapRead, type Read, readAll, together } from '../model/read.ts'
import { resource, type Step, type StepOptions } from '../model/step.ts'
import { type Shell, sh } from '../shell/sh.ts'

export interface UserOptions extends StepOptions {
  /** An account of a service: an id below 1000, no aging. @default true */
  readonly system?: boolean
  /** Its home directory, which is not made. @default '/nonexistent' */
  readonly home?: string
  /** @default '/usr/sbin/nologin' */
  readonly shell?: string
  /** Groups it must be in, beside its own; it is taken out of none. */
  readonly groups?: readonly string[]
}

interface Account {
  readonly home: string
  readonly shell: string
}

const account = family<string, Account | undefined>({
  name: 'users',
  script: (names) => sh`getent passwd -- ${names}`,
  parse: ({ stdout }, names) => {
    const lines = new Map(stdout.split('\n').map((line) => [line.split(':')[0], line.split(':')]))
    return names.map((name) => {
      const line = lines.get(name)
      return line && { home: line[5] ?? '', shell: line[6] ?? '' }
    })
  },
})

/** The members of a group; undefined when there is no such group. */
const membersOf = family<string, readonly string[] | undefined>({
  name: 'groups',
  script: (names) => sh`getent group -- ${names}`,
  parse: ({ stdout }, names) => {
    const lines = new Map(stdout.split('\n').map((line) => [line.split(':')[0], line.split(':')]))
    return names.map((name) =>
      lines
        .get(name)?.[3]
        ?.split(',')
        .filter((member) => member !== ''),
    )
  },
})

/** A user with a group of the same name. @example user('notes', { home: '/srv/notes' }) */
export function user(
  name: string,
  {
    system = true,
    home = '/nonexistent',
    shell = '/usr/sbin/nologin',
    groups = [],
    ...options
  }: UserOptions = {},
): Step {
  return userStep({ name, system, home, shell, groups }, options)
}

interface UserParams {
  readonly name: string
  readonly system: boolean
  readonly home: string
  readonly shell: string
  readonly groups: readonly string[]
}

type UserState = readonly [Account | undefined, readonly string[]]

const userStep = resource<UserParams, UserState>('user', {
  id: ({ name }) => name,
  reach: 'own',
  read: ({ name, groups }) => together(account(name), missingGroups(name, groups)),
  diff: ({ home, shell, groups }, [have, missing]) => {
    const found = compare({ home, shell }, have)
    const fields = groups
      .filter((group) => missing.includes(group))
      .map((group) => ({ name: 'group', to: group }))
    if (!found && fields.length === 0) return undefined
    return { verb: found?.verb ?? 'change', fields: [...(found?.fields ?? []), ...fields] }
  },
  apply: ({ name, system, home, shell, groups }, [have]) => {
    const add: Shell = system
      ? sh`useradd --system --user-group --no-create-home --home-dir ${home} --shell ${shell} ${name}`
      : sh`useradd --user-group --home-dir ${home} --shell ${shell} ${name}`
    const first = have ? sh`usermod --home ${home} --shell ${shell} ${name}` : add
    const commands: (Shell | Command)[] = [first]
    if (groups.length > 0) commands.push(sh`usermod -aG ${groups.join(',')} ${name}`)
    return commands
  },
})

/** The groups of these that the user is not in. */
function missingGroups(name: string, groups: readonly string[]): Read<readonly string[]> {
  return mapRead(readAll(groups.map(membersOf)), (members) =>
    groups.filter((_group, i) => !members[i]?.includes(name)),
  )
}

/** A group of users. */
export function userGroup(
  name: string,
  { system = true, ...options }: StepOptions & { readonly system?: boolean } = {},
): Step {
  return groupStep({ name, system }, options)
}

const groupStep = resource<
  { readonly name: string; readonly system: boolean },
  readonly string[] | undefined
>('group', {
  id: ({ name }) => name,
  reach: 'own',
  read: ({ name }) => membersOf(name),
  diff: (_params, have) => (have ? undefined : { verb: 'create', fields: [] }),
  apply: ({ name, system }) => [system ? sh`groupadd --system ${name}` : sh`groupadd ${name}`],
})
