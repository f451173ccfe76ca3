import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { lstat, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Problem } from '../../model/problem.ts'
import { didYouMean } from '../../shell/nearest.ts'
import { checkName } from '../names.ts'
import { checkMachine } from '../requirements.ts'
import type { Debian } from '../state.ts'
import { SNAPSHOTS, type SnapshotRecord, snapshotPaths } from './snapshot-paths.ts'

/** A snapshot of a lab. */
export interface Snapshot {
  readonly name: string
  /** The lab that it was made of. */
  readonly lab: string
  /** When, in milliseconds since 1970. */
  readonly made: number
  readonly debian: Debian
  readonly hosts: readonly string[]
  /** What it takes on this machine's disk. */
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
 * Deletes a snapshot. Labs that were made from it are not affected.
 *
 * @throws Problem when there is none of that name
 * @example await deleteSnapshot('provisioned')
 */
export async function deleteSnapshot(name: string): Promise<void> {
  checkMachine()
  readSnapshot(name)
  const { directory, record } = snapshotPaths(name)
  await rm(record)
  await rm(directory, { recursive: true })
}

/** The base images that snapshots need. */
export function basesOfSnapshots(): readonly string[] {
  return names().map((name) => readSnapshot(name).base)
}

/** @throws Problem when there is none of that name */
export function readSnapshot(name: string): SnapshotRecord {
  const { record } = snapshotPaths(checkName('snapshot', name))
  if (existsSync(record)) return JSON.parse(readFileSync(record, 'utf8')) as SnapshotRecord
  const all = names()
  throw new Problem(`There is no snapshot "${name}".`, {
    next:
      didYouMean(name, all) ?? (all.length > 0 ? `There are ${all.join(', ')}.` : 'provision lab snapshot'),
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
  const sizes = await Promise.all(
    entries.map(async (entry) => (await lstat(join(directory, entry))).blocks * 512),
  )
  return sizes.reduce((sum, size) => sum + size, 0)
}
