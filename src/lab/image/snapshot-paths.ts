import { join } from 'node:path'
import type { Debian, HostState } from '../state.ts'

/** Snapshots of labs. Kept until they are deleted. */
export const SNAPSHOTS = '/var/lib/provision/lab-snapshots'

export interface SnapshotPaths {
  readonly directory: string
  /** A {@link SnapshotRecord}, written last. */
  readonly record: string
  /** What the lab's directory held: key, secrets, and the disks of its hosts. */
  readonly contents: string
}

export function snapshotPaths(name: string): SnapshotPaths {
  const directory = join(SNAPSHOTS, name)
  return { directory, record: join(directory, 'snapshot.json'), contents: join(directory, 'lab') }
}

/** A snapshot, as it is written down in its directory. */
export interface SnapshotRecord {
  readonly name: string
  /** The lab that it was made of. */
  readonly lab: string
  /** When, in milliseconds since 1970. */
  readonly made: number
  readonly debian: Debian
  /** The base image that its disks need. */
  readonly base: string
  readonly hosts: readonly HostState[]
}
