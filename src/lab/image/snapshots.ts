import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { lstat, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Problem } from '../../model/problem.ts'
import { didYouMean } from '../../shell/nearest.ts'
import { checkName } from '../base/paths.ts'
import { checkMachine } from '../base/requirements.ts'
import type { Debian, HostState } from '../base/state.ts'

/** A snapshot of a lab. */
export interface Snapshot {
  readonly name: string
  /** The lab that was copied. */
  readonly lab: string
  /** The time of its creation, in milliseconds since 1970. */
  readonly made: number
  readonly debian: Debian
  readonly hosts: readonly string[]
  /** Its size on this machine's disk. */
  readonly bytes: number
}

/**
 * All snapshots on this machine, by name.
 *
 * @example for (const { name, bytes } of await listSnapshots()) console.log(name, bytes)
 */
export async function listSnapshots(): Promise<readonly Snapshot[]> {
  checkMachine()
  return Promise.all(
    names().map(async (name) => {
      const { lab, made, debian, hosts } = readSnapshot(name)
      const bytes = await sizeOf(snapshotPaths(name).directory)
      return { name, lab, made, debian, hosts: hosts.map((host) => host.name), bytes }
    }),
  )
}

/**
 * Deletes a snapshot. Labs created from it are not affected.
 *
 * @throws Problem if it does not exist
 * @example await deleteSnapshot('provisioned')
 */
export async function deleteSnapshot(name: string): Promise<void> {
  checkMachine()
  readSnapshot(name)
  const { directory, record } = snapshotPaths(name)
  await rm(record)
  await rm(directory, { recursive: true })
}

/** The base images of all snapshots. */
export function basesOfSnapshots(): readonly string[] {
  return names().map((name) => readSnapshot(name).base)
}

/** @throws Problem if it does not exist */
export function readSnapshot(name: string): SnapshotRecord {
  const { record } = snapshotPaths(checkName('snapshot', name))
  if (existsSync(record)) return JSON.parse(readFileSync(record, 'utf8')) as SnapshotRecord
  const all = names()
  throw new Problem(`There is no snapshot "${name}".`, {
    next: didYouMean(name, all) ?? (all.length > 0 ? `There are ${all.join(', ')}.` : 'provision lab snapshot'),
  })
}

function names(): readonly string[] {
  if (!existsSync(SNAPSHOTS)) return []
  return readdirSync(SNAPSHOTS)
    .filter((name) => existsSync(snapshotPaths(name).record))
    .sort()
}

async function sizeOf(directory: string): Promise<number> {
  const entries = await readdir(directory, { recursive: true })
  const sizes = await Promise.all(entries.map(async (entry) => (await lstat(join(directory, entry))).blocks * 512))
  return sizes.reduce((sum, size) => sum + size, 0)
}

/** The directory of snapshots, which are kept until they are deleted. */
export const SNAPSHOTS = '/var/lib/provision/lab-snapshots'

interface SnapshotPaths {
  readonly directory: string
  /** A {@link SnapshotRecord}, written last. */
  readonly record: string
  /** A copy of the lab's directory: key, secrets, and the disks of its hosts. */
  readonly contents: string
}

export function snapshotPaths(name: string): SnapshotPaths {
  const directory = join(SNAPSHOTS, name)
  return { directory, record: join(directory, 'snapshot.json'), contents: join(directory, 'lab') }
}

/** The record of a snapshot in its directory. */
export interface SnapshotRecord {
  readonly name: string
  /** The lab that was copied. */
  readonly lab: string
  /** The time of its creation, in milliseconds since 1970. */
  readonly made: number
  readonly debian: Debian
  /** The base image that its disks need. */
  readonly base: string
  readonly hosts: readonly HostState[]
}
