import { existsSync } from 'node:fs'
import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Problem } from '../../model/problem.ts'
import { DEFAULT_NAME, usualPort } from '../network/addresses.ts'
import { labPaths } from '../paths.ts'
import { type Debian, type LabState, readState, writeState } from '../state.ts'
import { copyTree } from './copy-tree.ts'
import { snapshotPaths } from './snapshot-paths.ts'
import { readSnapshot } from './snapshots.ts'

export interface RestoreOptions {
  /** The snapshot. */
  readonly from: string
  /** The lab that is made of it. */
  readonly name: string
  readonly debian: Debian | undefined
  readonly log: (line: string) => void
}

/**
 * Makes the directory of a lab, which is not up yet, of a snapshot.
 *
 * @throws Problem when there is such a lab, or the snapshot does not fit
 */
export async function restoreSnapshot({ from, name, debian, log }: RestoreOptions): Promise<LabState> {
  const snapshot = readSnapshot(from)
  if (readState(name))
    throw new Problem(`The lab "${name}" is there already.`, {
      next: `provision lab down --name ${name}, or give another --name.`,
    })
  if (debian !== undefined && debian !== snapshot.debian)
    throw new Problem(`The hosts of the snapshot "${from}" run Debian ${snapshot.debian}.`, {
      next: `Leave out --debian ${debian}, or --from ${from}.`,
    })
  if (!existsSync(snapshot.base))
    throw new Problem(`The base image of the snapshot "${from}" is gone.`, {
      where: snapshot.base,
      next: `The snapshot cannot be used without it: provision lab delete-snapshot ${from}`,
    })
  log(`copying the snapshot ${from}`)
  await copyContents(from, name)
  const isDefault = name === DEFAULT_NAME
  const state: LabState = {
    ...{ name, debian: snapshot.debian, base: snapshot.base },
    supervisor: { pid: 0, started: '', boot: '' }, // none yet
    hosts: snapshot.hosts.map((host) => ({ ...host, port: isDefault ? usualPort(host.address) : 0 })),
    ports: isDefault ? { https: 8443, http: 8080 } : { https: 0, http: 0 },
  }
  writeState(state) // last, so that a copy that was interrupted is no lab
  return state
}

async function copyContents(from: string, name: string): Promise<void> {
  const { contents } = snapshotPaths(from)
  const { directory, secrets } = labPaths(name)
  await rm(directory, { recursive: true, force: true }) // of a copy that was interrupted
  const sources = (await readdir(contents)).map((entry) => join(contents, entry))
  await copyTree(sources, directory)
  await mkdir(secrets, { recursive: true, mode: 0o700 })
}
