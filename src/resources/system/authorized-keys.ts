import { randomBytes } from 'node:crypto'
import { Problem } from '../../model/problem.ts'
import type { Command } from '../../model/resource/command.ts'
import type { FieldChange } from '../../model/resource/diff.ts'
import { putPath } from '../../model/resource/fake-state.ts'
import { known, mapRead, readBoth } from '../../model/resource/read.ts'
import { resource, type Step, type StepOptions } from '../../model/resource/step.ts'
import { sh } from '../../shell/sh.ts'
import { baseName, directoryOf, stagingPath } from '../files/staging.ts'
import { ROLLED_BACK } from '../transaction/rollback.ts'
import { confirmationWait } from '../transaction/transaction.ts'
import { isAccountName } from './account-reads.ts'
import { type KeysFile, keysOf, type LoginKey, loginKey } from './authorized-keys-read.ts'
import { type Login, login } from './login.ts'
import { describeKey, fingerprintOf, isSameKey, type PublicKey, publicKeyIn } from './public-key.ts'

/** Options of {@link authorizedKeys}. */
export interface AuthorizedKeysOptions extends StepOptions {
  /** Removes all other keys of the user. @default false */
  readonly exclusive?: boolean
  /** Keys to remove, in the same format. @default none */
  readonly absent?: readonly string[]
}

/**
 * The SSH keys that may log in as a user, in the first file of sshd's `AuthorizedKeysFile`. Two keys are the same if type and key are;
 * another comment is no change, other options in front of the key are one. The file and its directory belong to the user.
 *
 * A list that would shut out the key of this connection is rejected. When keys of this connection's user go, a new connection must succeed
 * with the new file; otherwise the old file is restored and the step fails.
 *
 * @param keys lines of a `.pub` file, with options in front if need be
 * @throws TypeError for a line that is not a public key
 * @throws Problem (on the host) for a missing user, and for a list without the key of this connection
 * @example authorizedKeys('ana', ['ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJHuQ2BI8bbMJDWtrHyCFoh6SbKDqTi1Ht2BXOZ5sN1e ana@laptop'], { exclusive: true })
 */
export function authorizedKeys(
  user: string,
  keys: readonly string[],
  { exclusive = false, absent = [], ...options }: AuthorizedKeysOptions = {},
): Step {
  if (!isAccountName(user)) throw new TypeError(`authorizedKeys: "${user}" is not the name of a user`)
  const parsed = (line: string) => {
    const key = /[\n\0]/.test(line.trim()) ? undefined : publicKeyIn(line)
    if (!key)
      throw new TypeError(
        `authorizedKeys ${user}: ${JSON.stringify(line.slice(0, 60))} is not a line with a public key`,
      )
    return key
  }
  const [wanted, unwanted] = [keys.map(parsed), absent.map(parsed)]
  const both = wanted.find((one) => unwanted.some((other) => isSameKey(one, other)))
  if (both) throw new TypeError(`authorizedKeys ${user}: ${describeKey(both)} is both wanted and absent`)
  return keysStep({ user, keys: wanted, absent: unwanted, exclusive }, options)
}

interface KeysParams {
  readonly user: string
  readonly keys: readonly PublicKey[]
  readonly absent: readonly PublicKey[]
  readonly exclusive: boolean
}

interface KeysState {
  readonly found: KeysFile | undefined
  readonly session: Login | undefined
  readonly own: LoginKey | undefined
}

const keysStep = resource<KeysParams, KeysState>('authorized keys', {
  id: ({ user }) => user,
  sets: ({ user }) => [{ type: 'user', name: user }],
  affects: 'itself',
  canWaitForPackages: true,
  read: ({ user, exclusive, absent }) =>
    mapRead(
      readBoth(keysOf(user), exclusive || absent.length > 0 ? readBoth(login, loginKey) : known(undefined)),
      ([found, own]) => ({ found, session: own?.[0], own: own?.[1] }),
    ),
  diff: (params, have) => {
    const { user } = params
    const { found } = have
    if (!found) return { action: 'create', fields: params.keys.map(added), problem: missingUser(user) }
    if (found.path === 'none')
      throw new Problem('sshd reads no authorized keys: AuthorizedKeysFile is none', {
        next: 'Set AuthorizedKeysFile in /etc/ssh/sshd_config.d, in a step before this one.',
      })
    const { removed, fields } = edit(params, found)
    if (fields.length === 0) return undefined
    if (have.session?.user === user && have.own && removed.some((key) => fingerprintOf(key) === have.own?.fingerprint))
      throw new Problem(`The list has no key for this connection, which logs in as ${user}`, {
        details: [`key of this connection: ${have.own.fingerprint}`],
        next: 'Add the public key to the list. Nothing was changed.',
      })
    return { action: found.file ? 'change' : 'create', fields }
  },
  apply: (params, { found, session }) => {
    if (!found) return []
    const { lines, removed } = edit(params, found)
    return [write(found, lines, session?.user === params.user && removed.length > 0)]
  },
  simulate: (params, host) => {
    const { user } = params
    const own = host.users.get(user)
    if (!own) return
    const path = `${own.home}/.ssh/authorized_keys`
    const before = (host.paths.get(path)?.content?.toString() ?? '').split('\n').filter((line) => line !== '')
    const lines = edit(params, { ...NO_FILE, lines: before }).lines
    putPath(host, directoryOf(path), { type: 'directory', owner: user, group: own.group, mode: '0700' })
    putPath(host, path, {
      type: 'file',
      owner: user,
      group: own.group,
      mode: '0600',
      content: Buffer.from(textOf(lines)),
    })
  },
})

const NO_FILE: KeysFile = { uid: '', gid: '', home: '', path: '', lines: [], file: undefined, directory: undefined }

interface Edit {
  readonly lines: readonly string[]
  /** The keys that no longer log in. */
  readonly removed: readonly PublicKey[]
  readonly fields: readonly FieldChange[]
}

/** Keeps comments and the order of the file; new keys come last. */
function edit({ keys, absent, exclusive }: KeysParams, found: KeysFile): Edit {
  const fields: FieldChange[] = []
  const removed: PublicKey[] = []
  const seen: PublicKey[] = []
  const kept = found.lines.flatMap((line): readonly string[] => {
    const key = publicKeyIn(line)
    // sshd ignores a line that it cannot parse, so it stays unless the list is exclusive.
    if (!key) return [line]
    const wanted = keys.find((one) => isSameKey(one, key))
    const isTwice = wanted !== undefined && seen.includes(wanted)
    if (isTwice || (!wanted && (exclusive || absent.some((one) => isSameKey(one, key))))) {
      if (!isTwice) removed.push(key)
      fields.push({ name: 'key', from: describeKey(key), to: isTwice ? 'absent, as it is there twice' : 'absent' })
      return []
    }
    if (!wanted) return [line]
    seen.push(wanted)
    if (wanted.options === key.options) return [line]
    fields.push({ name: 'key', from: describeKey(key), to: describeKey(wanted) })
    return [lineOf(wanted)]
  })
  const missing = keys.filter((one, i) => !seen.includes(one) && keys.findIndex((other) => isSameKey(one, other)) === i)
  return {
    lines: [...kept, ...missing.map(lineOf)],
    removed,
    fields: [...fields, ...missing.map(added), ...ownership(found)],
  }
}

/** sshd refuses a file that others may write. */
function ownership({ uid, file, directory }: KeysFile): readonly FieldChange[] {
  return [
    ...(file && file.uid !== uid ? [{ name: 'owner', from: file.uid, to: uid }] : []),
    ...(file && isWritable(file.mode) ? [{ name: 'mode', from: file.mode, to: '600' }] : []),
    ...(directory && isWritable(directory.mode) ? [{ name: 'directory mode', from: directory.mode, to: '700' }] : []),
  ]
}

function isWritable(mode: string): boolean {
  return (Number.parseInt(mode, 8) & 0o022) !== 0
}

function added(key: PublicKey): FieldChange {
  return { name: 'key', to: describeKey(key) }
}

function lineOf({ options, type, blob, comment }: PublicKey): string {
  return [options, type, blob, comment].filter((part) => part !== '').join(' ')
}

function textOf(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('')
}

function missingUser(user: string): Problem {
  return new Problem(`The host has no user ${user}`, { next: `Add user('${user}') in a step before this one.` })
}

/**
 * Replaces the file. The directory belongs to the user, who may put links there: the script enters it, checks its owner, and follows no link
 * in it.
 */
function write({ uid, gid, path, home }: KeysFile, lines: readonly string[], isConfirmed: boolean): Command {
  const directory = directoryOf(path)
  const [at, name] = [baseName(stagingPath(path)), baseName(path)]
  const isInHome = path.startsWith(`${home}/`)
  const put = sh`
umask 077
[ -d ${directory} ] || ${isInHome ? sh`install -d -o ${uid} -g ${gid} -m 0700 ${directory}` : sh`install -d -m 0755 ${directory}`} || exit
cd -P ${directory} || exit
[ "$(stat -c %u .)" = ${isInHome ? uid : 0} ] || { echo ${`${directory} belongs to another user`} >&2; exit 1; }
chmod go-w . && rm -f -- ${`.${name}.provision-`}???????? && printf %s ${textOf(lines)} > ${at} && sync ${at} && chown -h ${`${uid}:${gid}`} ${at} || exit`
  if (!isConfirmed)
    return {
      script: sh`(${put}
mv -fT ${at} ${name})`,
    }
  const wait = confirmationWait(randomBytes(6).toString('hex'))
  return {
    script: sh`(${put}
cp -p ${name} ${`${at}.old`} && mv -fT ${at} ${name} || exit
if ( ${wait.script} ); then rm -f ${`${at}.old`}
else
  mv -fT ${`${at}.old`} ${name}
  echo 'This machine could not log in with the new keys, so the old file is restored.' >&2
  exit ${ROLLED_BACK}
fi)`,
    confirm: wait,
    rolledBackStatus: ROLLED_BACK,
  }
}
