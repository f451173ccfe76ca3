import { randomBytes } from 'node:crypto'
import { chownSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Problem } from '../../model/problem.ts'
import { labPaths } from './paths.ts'

/** A password of this lab, created at its first use. */
export function labSecret(lab: string, name: string): string {
  if (!/^[\w.-]+$/.test(name))
    throw new Problem(`"${name}" is not a valid name of a secret, which is a file name.`, {
      next: 'Use letters, digits, dots, dashes and underscores.',
    })
  const { secrets } = labPaths(lab)
  const path = join(secrets, name)
  try {
    return readFileSync(path, 'utf8')
  } catch {
    mkdirSync(secrets, { recursive: true, mode: 0o700 })
  }
  try {
    const fresh = randomBytes(18).toString('base64url')
    writeFileSync(path, fresh, { flag: 'wx', mode: 0o600 })
    ownAsDirectory(path)
    return fresh
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return readFileSync(path, 'utf8') // Another process was first.
    throw error
  }
}

/**
 * After `sudo provision lab up`, makes the user who called sudo the owner of the lab's key and secrets, so that `provision` reaches the
 * hosts without root. The disks and the supervisor's socket belong to root.
 */
export function giveToInvoker(lab: string): void {
  const [uid, gid] = [Number(process.env['SUDO_UID']), Number(process.env['SUDO_GID'])]
  if (!uid || !gid) return
  const { directory, state, key, knownHosts, sshConfig, secrets } = labPaths(lab)
  const kept = readdirSync(secrets).map((name) => join(secrets, name))
  const all = [directory, state, key, `${key}.pub`, knownHosts, sshConfig, secrets, ...kept]
  for (const path of all) chownSync(path, uid, gid)
}

/** Gives a new file the owner of its directory. */
function ownAsDirectory(path: string): void {
  const { uid, gid } = statSync(join(path, '..'))
  if (process.getuid?.() === 0) chownSync(path, uid, gid)
}
