import type { Command, Explanation } from '../../model/resource/command.ts'
import type { Secret } from '../../shell/secret.ts'
import { type Shell, sh } from '../../shell/sh.ts'
import { directoryOf, ensureDirectory, moveToRemoved } from '../files/staging.ts'
import { dateOf, type UserParams, type UserState } from './user-state.ts'

interface Due {
  /** The groups that the user must leave. */
  readonly strangers: readonly string[]
  /** The hash to set. */
  readonly password: Secret | undefined
}

/** The commands that create or change a user. */
export function userCommands(params: UserParams, have: UserState, due: Due): readonly Command[] {
  const { name, groups, exclusive } = params
  const commands: Command[] = have.account ? changes(params, have) : [{ script: addition(params), explain }]
  if (due.strangers.length > 0 || (exclusive && have.missing.length > 0))
    commands.push({ script: sh`usermod -G ${groups.join(',')} ${name}` })
  else if (have.missing.length > 0) commands.push({ script: sh`usermod -aG ${have.missing.join(',')} ${name}` })
  return [...commands, ...passwordCommands(params, have, due.password)]
}

/** On a new account, chpasswd also sets the lock: between two commands the password would be valid. */
function passwordCommands(params: UserParams, { shadow }: UserState, hash: Secret | undefined): readonly Command[] {
  const { name, locked } = params
  const isLocked = shadow?.password !== undefined && shadow.locked
  if (hash) {
    const mark = (locked ?? isLocked) ? '!' : ''
    return [{ script: sh`chpasswd -e`, input: hash.map((value) => `${name}:${mark}${value}\n`) }]
  }
  if (locked === undefined || (shadow?.locked ?? true) === locked) return []
  return [{ script: locked ? sh`usermod --lock ${name}` : sh`usermod --unlock ${name}` }]
}

function addition(params: UserParams): Shell {
  const { name, system, createHome, home, shell, group } = params
  const args = [
    ...(system ? ['--system'] : []),
    createHome ? '--create-home' : '--no-create-home',
    ...(group === undefined ? [] : ['--gid', group]),
    ...['--home-dir', home, '--shell', shell],
    ...numbers(params),
  ]
  if (group !== undefined) return sh`useradd ${args} ${name}`
  // The group may exist already, or be created by an earlier step.
  return sh`own=--user-group
! getent group ${name} >/dev/null || own=${`--gid=${name}`}
useradd "$own" ${args} ${name}`
}

function numbers({ uid, comment, expires }: UserParams): readonly string[] {
  return [
    ...(uid === undefined ? [] : ['--uid', String(uid)]),
    ...(comment === undefined ? [] : ['--comment', comment]),
    ...(expires === undefined ? [] : ['--expiredate', expires === 'never' ? '' : dateOf(expires)]),
  ]
}

function changes(params: UserParams, { account, primary, shadow, homeEntry }: UserState): Command[] {
  const { name, uid, comment, home, shell, group, expires, createHome } = params
  const date = expires === 'never' ? undefined : expires
  const moves = account?.home !== home
  const args = [
    ...(moves ? ['--home', home] : []),
    ...(account?.shell === shell ? [] : ['--shell', shell]),
    ...(group === undefined || account?.gid === primary?.gid ? [] : ['--gid', group]),
    ...numbers({
      ...params,
      uid: String(uid) === account?.uid ? undefined : uid,
      comment: comment === account?.comment ? undefined : comment,
      expires: date === shadow?.expires ? undefined : expires,
    }),
  ]
  const makesHome = createHome && !homeEntry
  const commands: Command[] = []
  if (makesHome && moves && account) commands.push({ script: moveHome(account.home, [...args], params), explain })
  else if (args.length > 0) commands.push({ script: sh`usermod ${args} ${name}`, explain })
  if (makesHome) commands.push({ script: sh`[ -e ${home} ] || mkhomedir_helper ${name}` })
  return commands
}

/** Moves a home directory that belongs to the user alone: the one of www-data is /var/www. */
function moveHome(from: string, args: readonly string[], { name, home }: UserParams): Shell {
  return sh`move= owner=$(stat -c %U ${from} 2>/dev/null)
[ ! -d ${from} ] || [ "$owner" != ${name} ] || { move=--move-home && ${ensureDirectory(directoryOf(home))} || exit; }
usermod $move ${args} ${name}`
}

/** @param home the directory to move away; undefined to keep it */
export function removeUser(name: string, home: string | undefined): readonly Command[] {
  if (home === undefined) return [{ script: sh`userdel ${name}`, explain }]
  // Only a directory that the user owns: system accounts have homes such as / and /bin.
  return [
    {
      script: sh`owner=$(stat -c %U ${home} 2>/dev/null)
userdel ${name} || exit
[ "$owner" != ${name} ] || { ${moveToRemoved(home)}; }`,
      explain,
    },
  ]
}

function explain(stderr: string): Explanation | undefined {
  const [, name = '', process] = /user (\S+) is currently used by process (\d+)/.exec(stderr) ?? []
  if (process === undefined) return undefined
  return {
    what: `${name} has running processes (process ${process}), so it cannot be removed, and its uid, home and group cannot change`,
    next: `Stop them in a step before this one, such as service('NAME', { state: 'stopped' }), or on the host: ps -fu ${name}`,
  }
}
