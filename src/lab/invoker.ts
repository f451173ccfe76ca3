import { chownSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { labPaths } from './paths.ts'

/**
 * After `sudo provision lab up` the lab's key and secrets belong to who called sudo, so that `provision` itself needs no
 * root to reach the hosts. The disks and the supervisor's socket stay root's own.
 */
export function giveToInvoker(lab: string): void {
  const [uid, gid] = [Number(process.env['SUDO_UID']), Number(process.env['SUDO_GID'])]
  if (!uid || !gid) return
  const { directory, state, key, knownHosts, sshConfig, secrets } = labPaths(lab)
  const kept = readdirSync(secrets).map((name) => join(secrets, name))
  const all = [directory, state, key, `${key}.pub`, knownHosts, sshConfig, secrets, ...kept]
  for (const path of all) chownSync(path, uid, gid)
}

/** What is added to a directory later belongs to whom the directory belongs to. */
export function ownAsDirectory(path: string): void {
  const { uid, gid } = statSync(join(path, '..'))
  if (process.getuid?.() === 0) chownSync(path, uid, gid)
}
