import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Problem } from '../../model/problem.ts'

const TOP = 'provision-lab'

/** The group of a lab, or of a part of it. It exists in every hierarchy, so one kill or freeze reaches all of its processes. */
export function labGroup(lab: string, ...below: readonly string[]): string {
  return join(TOP, lab, ...below)
}

/** Makes a group and those above it. */
export function makeGroup(group: string): void {
  const steps = group.split('/').map((_, i, all) => all.slice(0, i + 1).join('/'))
  for (const { path, version } of hierarchies()) {
    for (const [depth, step] of steps.entries()) {
      const directory = join(path, step)
      mkdirSync(directory, { recursive: true })
      if (version === 1) {
        inheritCpus(directory)
        if (!group.endsWith('/supervisor')) allowRealtime(directory, REALTIME[depth])
      } else delegate(join(directory, '..'))
    }
  }
}

/** A command that runs another one inside a group. The shell becomes it, so its process number stays. */
export function inGroup(group: string, command: readonly string[]): readonly string[] {
  const enter = 'until [ "$1" = -- ]; do echo $$ > "$1"; shift; done; shift; exec "$@"'
  const doors = hierarchies().map(({ path }) => join(path, group, 'cgroup.procs'))
  return ['sh', '-ec', enter, 'sh', ...doors, '--', ...command]
}

/** Ends every process of a group and of those below it, however deep asleep or frozen. */
export function killGroup(group: string): void {
  const directory = join(unified(), group)
  if (existsSync(directory)) writeFileSync(join(directory, 'cgroup.kill'), '1')
}

/** Ends its processes, waits for their end, and removes the groups. */
export async function removeGroup(group: string): Promise<void> {
  killGroup(group)
  const events = join(unified(), group, 'cgroup.events')
  while (existsSync(events) && readFileSync(events, 'utf8').includes('populated 1')) await sleep(5)
  for (const { path } of hierarchies()) await remove(join(path, group))
}

/** Removes the group of all labs, when there is none left. */
export function removeTop(): void {
  for (const { path } of hierarchies()) {
    try {
      rmdirSync(join(path, TOP))
    } catch {
      // another lab is in it
    }
  }
}

export function freezeGroup(group: string, frozen: boolean): void {
  writeFileSync(join(unified(), group, 'cgroup.freeze'), frozen ? '1' : '0')
}

/** The mount of version 2, where processes can be killed and frozen as a group. */
export function unified(): string {
  const found = hierarchies().find(({ version }) => version === 2)
  if (found) return found.path
  throw new Problem('This machine has no cgroups of version 2.', {
    next: 'Boot it with systemd.unified_cgroup_hierarchy=1, or mount one: mount -t cgroup2 none /sys/fs/cgroup/unified',
  })
}

export interface Hierarchy {
  readonly path: string
  readonly version: 1 | 2
}

/** One on a machine with pure version 2; on a hybrid one also a mount for each controller of version 1. */
export function hierarchies(): readonly Hierarchy[] {
  const found = new Map<string, Hierarchy>()
  for (const line of readFileSync('/proc/self/mountinfo', 'utf8').split('\n')) {
    const [, , , root, path] = line.split(' ')
    const [, type] = /- (cgroup2?) /.exec(line) ?? []
    if (path && root === '/' && type) found.set(path, { path, version: type === 'cgroup2' ? 2 : 1 })
  }
  return [...found.values()]
}

/** For all labs, a lab, its hosts, a host: microseconds of each second in which a processor runs real-time processes of the group. */
const REALTIME = [800_000, 100_000, 90_000, 9_000]

/** A group of version 1 may have no real-time processes until it gets time for them. Keepalived has one. */
function allowRealtime(directory: string, time: number | undefined): void {
  const file = join(directory, 'cpu.rt_runtime_us')
  if (time === undefined || !existsSync(file) || readFileSync(file, 'utf8').trim() !== '0') return
  try {
    writeFileSync(file, String(time))
  } catch {
    // the groups above have given away all that they have: a host does well without
  }
}

/** A new group of the cpuset controller has no processor, and takes no process until it has one. */
function inheritCpus(directory: string): void {
  for (const file of ['cpuset.cpus', 'cpuset.mems']) {
    const own = join(directory, file)
    if (existsSync(own) && readFileSync(own, 'utf8').trim() === '') {
      writeFileSync(own, readFileSync(join(directory, '..', file)))
    }
  }
}

function delegate(directory: string): void {
  for (const controller of ['cpu', 'io', 'memory', 'pids']) {
    try {
      writeFileSync(join(directory, 'cgroup.subtree_control'), `+${controller}`)
    } catch {
      // not there, or bound to version 1: a host does well without
    }
  }
}

/** Two minutes, after which something is wrong with the kernel. */
const BUSY_TRIES = 24_000

async function remove(directory: string): Promise<void> {
  if (!existsSync(directory)) return
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    if (entry.isDirectory()) await remove(join(directory, entry.name))
  }
  for (let tries = 0; ; tries++) {
    try {
      return rmdirSync(directory)
    } catch (error) {
      if (tries === BUSY_TRIES) throw error // busy for a moment after its last process ended
      await sleep(5)
    }
  }
}
