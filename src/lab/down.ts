import { rm } from 'node:fs/promises'
import { labGroup, removeGroup, removeTop } from './hosts/cgroups.ts'
import { locked } from './lock.ts'
import { checkName } from './names.ts'
import { DEFAULT_NAME } from './network/addresses.ts'
import { labPaths } from './paths.ts'
import { checkMachine } from './requirements.ts'

/**
 * Ends a lab and deletes its hosts, disks, keys and secrets. Base images and packages stay for the next one.
 *
 * Its supervisor and hosts are one tree of cgroups, so one write ends them all; their networks and mounts live in
 * namespaces that end with their last process.
 *
 * @example await downLab('mine')
 */
export async function downLab(name: string = DEFAULT_NAME): Promise<void> {
  const { directory } = labPaths(checkName('lab', name))
  checkMachine()
  await locked({ name }, async () => {
    await removeGroup(labGroup(name))
    removeTop()
    await rm(directory, { recursive: true, force: true })
  })
}
