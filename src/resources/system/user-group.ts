import { Problem } from '../../model/problem.ts'
import type { Explanation } from '../../model/resource/command.ts'
import { compare, type Diff } from '../../model/resource/diff.ts'
import { known, readBoth } from '../../model/resource/read.ts'
import { resource, type Step, type StepOptions } from '../../model/resource/step.ts'
import { sh } from '../../shell/sh.ts'
import { checkId, groupOf, isAccountName, type UserGroup } from './account-reads.ts'

interface UserGroupOptions extends StepOptions {
  /** A system group: id below 1000. @default true */
  readonly system?: boolean
  /** The number of the group; files keep an old number. @default the next free one */
  readonly gid?: number
}

/**
 * A group of users.
 *
 * @throws TypeError for an invalid name or number
 * @throws Problem (on the host) for a gid of another group
 * @example [userGroup('readers', { gid: 2000 }), user('app', { groups: ['readers'] })]
 */
export function userGroup(name: string, { system = true, gid, ...options }: UserGroupOptions = {}): Step {
  checkGroupName('userGroup', name)
  checkId(`userGroup ${name}: gid`, gid)
  return groupStep({ name, system, gid: gid === undefined ? undefined : String(gid) }, options)
}

/**
 * No group of this name. Files of the group keep its number.
 *
 * @throws TypeError for an invalid name and for root
 */
userGroup.absent = (name: string, options: StepOptions = {}): Step => {
  checkGroupName('userGroup.absent', name)
  if (name === 'root') throw new TypeError('userGroup.absent: root cannot be removed')
  return absentStep({ name }, options)
}

function checkGroupName(what: string, name: string): void {
  if (!isAccountName(name)) throw new TypeError(`${what}: "${name}" is not the name of a group`)
}

interface GroupParams {
  readonly name: string
  readonly system: boolean
  readonly gid: string | undefined
}

/** The group, and the one with the wanted gid. */
type GroupState = readonly [UserGroup | undefined, UserGroup | undefined]

const groupStep = resource<GroupParams, GroupState>('group', {
  id: ({ name }) => name,
  affects: 'itself',
  read: ({ name, gid }) => readBoth(groupOf(name), gid === undefined ? known(undefined) : groupOf(gid)),
  diff: ({ name, gid }, [have, holder]): Diff | undefined => {
    const found = compare({ gid }, have)
    if (!found || !holder || holder.name === name) return found
    const problem = new Problem(`The gid ${gid} belongs to the group ${holder.name}`, {
      next: 'Choose another gid, or remove that group in a step before this one.',
    })
    return { ...found, problem }
  },
  apply: ({ name, system, gid }, [have]) => {
    const number = gid === undefined ? [] : ['--gid', gid]
    return [
      have ? sh`groupmod ${number} ${name}` : sh`groupadd ${[...(system ? ['--system'] : []), ...number]} ${name}`,
    ]
  },
  simulate: ({ name, gid }, { groups, gids }) => {
    groups.set(name, groups.get(name) ?? [])
    if (gid !== undefined) gids.set(name, gid)
  },
})

const absentStep = resource<{ readonly name: string }, UserGroup | undefined>('group', {
  id: ({ name }) => name,
  affects: 'itself',
  read: ({ name }) => groupOf(name),
  diff: (_params, have) => have && { action: 'remove', fields: [{ name: 'gid', from: have.gid, to: 'absent' }] },
  apply: ({ name }) => [{ script: sh`groupdel ${name}`, explain: explainGroupError }],
  simulate: ({ name }, { groups }) => void groups.delete(name),
})

function explainGroupError(stderr: string): Explanation | undefined {
  const [, user] = /cannot remove the primary group of user '([^']+)'/.exec(stderr) ?? []
  if (user === undefined) return undefined
  return {
    what: `it is the primary group of ${user}`,
    next: `Give ${user} another group in a step before this one: user('${user}', { group: 'OTHER' }), or remove the user.`,
  }
}
