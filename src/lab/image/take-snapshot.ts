import { existsSync } from 'node:fs'
import { readdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Problem } from '../../model/problem.ts'
import { hostPaths, labPaths } from '../paths.ts'
import type { LabState } from '../state.ts'
import { copyTree } from './copy-tree.ts'
import { type SnapshotRecord, snapshotPaths } from './snapshot-paths.ts'

/** Copies a lab, whose disks are not mounted, to a snapshot. It is there whole or not at all. */
export async function takeSnapshot(name: string, lab: LabState): Promise<void> {
  const { directory } = snapshotPaths(name)
  assertSnapshotNameFree(name)
  const unfinished = `${directory}.unfinished`
  await rm(unfinished, { recursive: true, force: true }) // of a snapshot that was interrupted
  try {
    await copyLab(lab, join(unfinished, 'lab'))
    const { debian, base, hosts } = lab
    const record: SnapshotRecord = { name, lab: lab.name, made: Date.now(), debian, base, hosts }
    await writeFile(join(unfinished, 'snapshot.json'), `${JSON.stringify(record, undefined, 2)}\n`)
    await rename(unfinished, directory)
  } catch (cause) {
    await rm(unfinished, { recursive: true, force: true })
    throw new Problem(`The snapshot "${name}" could not be made.`, {
      details: (cause instanceof Error ? cause.message : String(cause)).split('\n'),
      next: 'Check that this machine has room on its disk.',
      cause,
    })
  }
}

export function assertSnapshotNameFree(name: string): void {
  if (!existsSync(snapshotPaths(name).directory)) return
  throw new Problem(`There is a snapshot "${name}" already.`, {
    next: `provision lab delete-snapshot ${name}, or choose another name.`,
  })
}

async function copyLab({ name, hosts }: LabState, target: string): Promise<void> {
  const { directory, state, socket, log, sshConfig, knownHosts } = labPaths(name)
  const own = new Set([state, socket, log, sshConfig, knownHosts, join(directory, 'hosts')])
  const kept = (await readdir(directory))
    .map((entry) => join(directory, entry))
    .filter((path) => !own.has(path))
  await copyTree(kept, target)
  for (const host of hosts) {
    const { directory, image } = hostPaths(name, host.name)
    const key = join(directory, 'ssh_host_key')
    await copyTree([image, key, `${key}.pub`], join(target, 'hosts', host.name))
  }
}
