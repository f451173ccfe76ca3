import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdir, open, readFile, rename, rm, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { HostPaths } from '../base/paths.ts'
import { run } from '../base/run.ts'

/** The size of each host's disk. It uses space on the machine only for written data. */
const SIZE = 8 * 1024 ** 3

/**
 * Deleted data frees space on the machine. Without barriers a host's `fsync` does not wait for the machine's disk: a killed host loses
 * nothing (its pages are the machine's), and it is three times faster.
 */
const MOUNT_OPTIONS = 'loop,noatime,discard,nobarrier'

/** Mounts a host's disk; creates it if it does not exist. @param fill writes the host's files to a new disk. @returns true for a new disk */
export async function makeDisk(paths: HostPaths, fill: (upper: string) => Promise<void>): Promise<boolean> {
  await mkdir(paths.disk, { recursive: true })
  await mkdir(paths.root, { recursive: true })
  const isNew = !existsSync(paths.image)
  const image = isNew ? `${paths.image}.new` : paths.image
  if (isNew) await format(image)
  else await detached(image)
  await run('mount', ['-o', MOUNT_OPTIONS, image, paths.disk])
  if (!isNew) return false
  await mkdir(join(paths.disk, 'upper'))
  await mkdir(join(paths.disk, 'work'))
  await fill(join(paths.disk, 'upper'))
  await rename(image, paths.image)
  return true
}

/** Mounts a host's root: its disk as an overlay of the base image. */
export async function mountRoot(paths: HostPaths, base: string): Promise<void> {
  const [upper, work] = [join(paths.disk, 'upper'), join(paths.disk, 'work')]
  const options = `lowerdir=${base},upperdir=${upper},workdir=${work}`
  await run('mount', ['-t', 'overlay', '-o', options, 'overlay', paths.root])
}

/** Unmounts the root and disk of a host that is off. Its image is then complete. */
export async function unmount(paths: HostPaths): Promise<void> {
  await run('umount', [paths.root])
  await run('umount', [paths.disk])
  await detached(paths.image)
}

/** Reverts {@link unmount}, even if it was interrupted. */
export async function remount(paths: HostPaths, base: string): Promise<void> {
  if (!(await isMounted(paths.disk))) await makeDisk(paths, async () => {})
  if (!(await isMounted(paths.root))) await mountRoot(paths, base)
}

async function isMounted(directory: string): Promise<boolean> {
  return (await readFile('/proc/self/mountinfo', 'utf8')).includes(` ${directory} `)
}

/** Fills a host's disk. It costs the machine nothing: the blocks are reserved, not written. */
export async function fillDisk(paths: HostPaths): Promise<void> {
  const { bavail, bsize } = await statfs(paths.disk)
  const rest = bsize * 512 // The file system's metadata takes a part of it.
  if (bavail * bsize > rest) await run('fallocate', ['-l', String(bavail * bsize - rest), filler(paths)])
  const file = await open(filler(paths), 'a')
  try {
    for (const block = Buffer.alloc(bsize); ; ) await file.write(block)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error
  } finally {
    await file.close()
  }
}

export async function freeDisk(paths: HostPaths): Promise<void> {
  await rm(filler(paths), { force: true })
}

function filler(paths: HostPaths): string {
  return join(paths.disk, 'filler')
}

/** Creates an ext4 file system whose tables are written on first use. */
async function format(image: string): Promise<void> {
  await rm(image, { force: true })
  await run('truncate', ['-s', String(SIZE), image])
  await run('mkfs.ext4', [
    '-q',
    '-F',
    '-m',
    '0',
    '-J',
    'size=16',
    '-E',
    'lazy_itable_init=1,lazy_journal_init=1,nodiscard',
    image,
  ])
}

/** Waits until the kernel has detached a disk, a moment after its last user ended: two mounts at once would corrupt it. */
async function detached(image: string): Promise<void> {
  for (let tries = 0; loopFiles().includes(image); tries++) {
    if (tries === 12_000) throw new Error(`${image} is still mounted`) // two minutes
    await sleep(10)
  }
}

function loopFiles(): readonly string[] {
  return readdirSync('/sys/block').flatMap((device) => {
    const path = `/sys/block/${device}/loop/backing_file`
    return existsSync(path) ? readFileSync(path, 'utf8').trim() : []
  })
}
