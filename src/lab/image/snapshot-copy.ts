import { existsSync } from 'node:fs'
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Problem } from '../../model/problem.ts'
import { hostPaths, labPaths } from '../base/paths.ts'
import { run } from '../base/run.ts'
import { type Debian, type LabState, readState, writeState } from '../base/state.ts'
import { DEFAULT_NAME, usualPort } from '../network/addresses.ts'
import { readSnapshot, type SnapshotRecord, snapshotPaths } from './snapshots.ts'

/** Copies a lab, whose disks must not be mounted, to a snapshot, atomically. */
export async function takeSnapshot(name: string, lab: LabState): Promise<void> {
  const { directory } = snapshotPaths(name)
  assertSnapshotNameFree(name)
  const unfinished = `${directory}.unfinished`
  await rm(unfinished, { recursive: true, force: true }) // left by an interrupted snapshot
  try {
    await copyLab(lab, join(unfinished, 'lab'))
    const { debian, base, hosts } = lab
    const record: SnapshotRecord = { name, lab: lab.name, made: Date.now(), debian, base, hosts }
    await writeFile(join(unfinished, 'snapshot.json'), `${JSON.stringify(record, undefined, 2)}\n`)
    await rename(unfinished, directory)
  } catch (cause) {
    await rm(unfinished, { recursive: true, force: true })
    throw new Problem(`The snapshot "${name}" could not be created.`, {
      details: (cause instanceof Error ? cause.message : String(cause)).split('\n'),
      next: 'Check that this machine has enough disk space.',
      cause,
    })
  }
}

export function assertSnapshotNameFree(name: string): void {
  if (!existsSync(snapshotPaths(name).directory)) return
  throw new Problem(`The snapshot "${name}" already exists.`, {
    next: `provision lab delete-snapshot ${name}, or choose another name.`,
  })
}

async function copyLab({ name, hosts }: LabState, target: string): Promise<void> {
  const { directory, state, socket, log, sshConfig, knownHosts } = labPaths(name)
  const own = new Set([state, socket, log, sshConfig, knownHosts, join(directory, 'hosts')])
  const kept = (await readdir(directory)).map((entry) => join(directory, entry)).filter((path) => !own.has(path))
  await copyTree(kept, target)
  for (const host of hosts) {
    const { directory, image } = hostPaths(name, host.name)
    const key = join(directory, 'ssh_host_key')
    await copyTree([image, key, `${key}.pub`], join(target, 'hosts', host.name))
  }
}

interface RestoreOptions {
  /** The name of the snapshot. */
  readonly from: string
  /** The name of the new lab. */
  readonly name: string
  readonly debian: Debian | undefined
  readonly log: (line: string) => void
}

/**
 * Creates the directory of a lab, which is not up yet, from a snapshot.
 *
 * @throws Problem if the lab exists, or if the snapshot does not match
 */
export async function restoreSnapshot({ from, name, debian, log }: RestoreOptions): Promise<LabState> {
  const snapshot = readSnapshot(from)
  if (readState(name))
    throw new Problem(`The lab "${name}" already exists.`, {
      next: `provision lab down --name ${name}, or give another --name.`,
    })
  if (debian !== undefined && debian !== snapshot.debian)
    throw new Problem(`The hosts of the snapshot "${from}" run Debian ${snapshot.debian}.`, {
      next: `Leave out --debian ${debian}, or --from ${from}.`,
    })
  if (!existsSync(snapshot.base))
    throw new Problem(`The base image of the snapshot "${from}" does not exist.`, {
      where: snapshot.base,
      next: `The snapshot cannot be used without it: provision lab delete-snapshot ${from}`,
    })
  log(`copying the snapshot ${from}`)
  await copyContents(from, name)
  const isDefault = name === DEFAULT_NAME
  const state: LabState = {
    ...{ name, debian: snapshot.debian, base: snapshot.base },
    supervisor: { pid: 0, started: '', boot: '' }, // not started yet
    hosts: snapshot.hosts.map((host) => ({ ...host, port: isDefault ? usualPort(host.address) : 0 })),
    ports: isDefault ? { https: 8443, http: 8080 } : { https: 0, http: 0 },
  }
  writeState(state) // last, so that an interrupted copy is no lab
  return state
}

async function copyContents(from: string, name: string): Promise<void> {
  const { contents } = snapshotPaths(from)
  const { directory, secrets } = labPaths(name)
  await rm(directory, { recursive: true, force: true }) // left by an interrupted copy
  const sources = (await readdir(contents)).map((entry) => join(contents, entry))
  await copyTree(sources, directory)
  await mkdir(secrets, { recursive: true, mode: 0o700 })
}

/** Copies files and directories into one, with their holes and owners; shares blocks if the file system supports it. */
async function copyTree(sources: readonly string[], target: string): Promise<void> {
  await mkdir(target, { recursive: true, mode: 0o700 })
  if (sources.length === 0) return
  await run('cp', ['-a', '--reflink=auto', '--sparse=always', '--', ...sources, target])
}
