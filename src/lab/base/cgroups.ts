import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Problem } from '../../model/problem.ts'

const TOP = 'provision-lab'

/** The cgroup of a lab or of a part of it. It exists in every hierarchy, so one kill or freeze affects all its processes. */
export function labGroup(lab: string, ...below: readonly string[]): string {
  return join(TOP, lab, ...below)
}

/** Creates a group and its parents. */
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

/** A command that runs another one inside a group, with the same pid. */
export function inGroup(group: string, command: readonly string[]): readonly string[] {
  const enter = 'until [ "$1" = -- ]; do echo $$ > "$1"; shift; done; shift; exec "$@"'
  const files = hierarchies().map(({ path }) => join(path, group, 'cgroup.procs'))
  return ['sh', '-ec', enter, 'sh', ...files, '--', ...command]
}

/** Kills all processes of a group and its children, even frozen ones. */
export function killGroup(group: string): void {
  const directory = join(unified(), group)
  if (existsSync(directory)) writeFileSync(join(directory, 'cgroup.kill'), '1')
}

/** Kills its processes, waits for their end, and removes the groups. */
export async function removeGroup(group: string): Promise<void> {
  killGroup(group)
  const events = join(unified(), group, 'cgroup.events')
  while (existsSync(events) && readFileSync(events, 'utf8').includes('populated 1')) await sleep(5)
  for (const { path } of hierarchies()) await remove(join(path, group))
}

/** Removes the group of all labs if there is no lab left. */
export function removeTop(): void {
  for (const { path } of hierarchies()) {
    try {
      rmdirSync(join(path, TOP))
    } catch {
      // There is another lab.
    }
  }
}

export function freezeGroup(group: string, frozen: boolean): void {
  writeFileSync(join(unified(), group, 'cgroup.freeze'), frozen ? '1' : '0')
}

/** The mount of version 2, which can kill and freeze a group. */
export function unified(): string {
  const found = hierarchies().find(({ version }) => version === 2)
  if (found) return found.path
  throw new Problem('This machine has no cgroups version 2.', {
    next: 'Boot it with systemd.unified_cgroup_hierarchy=1, or mount one: mount -t cgroup2 none /sys/fs/cgroup/unified',
  })
}

interface Hierarchy {
  readonly path: string
  readonly version: 1 | 2
}

/** One with pure version 2; on a hybrid machine also one per controller of version 1. */
function hierarchies(): readonly Hierarchy[] {
  const found = new Map<string, Hierarchy>()
  for (const line of readFileSync('/proc/self/mountinfo', 'utf8').split('\n')) {
    const [, , , root, path] = line.split(' ')
    const [, type] = /- (cgroup2?) /.exec(line) ?? []
    if (path && root === '/' && type) found.set(path, { path, version: type === 'cgroup2' ? 2 : 1 })
  }
  return [...found.values()]
}

/** Real-time budget in microseconds per second: of all labs, a lab, its hosts, a host. */
const REALTIME = [800_000, 100_000, 90_000, 9_000]

/** In version 1, a group cannot run real-time processes without a budget. Keepalived has one. */
function allowRealtime(directory: string, time: number | undefined): void {
  const file = join(directory, 'cpu.rt_runtime_us')
  if (time === undefined || !existsSync(file) || readFileSync(file, 'utf8').trim() !== '0') return
  try {
    writeFileSync(file, String(time))
  } catch {
    // The parents have no budget left; a host works without.
  }
}

/** A new cpuset group accepts no process until it has processors. */
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
      // Not available, or bound to version 1; a host works without.
    }
  }
}

/** Two minutes. */
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
      if (tries === BUSY_TRIES) throw error // It is busy for a moment after its last process ended.
      await sleep(5)
    }
  }
}

/** The period of CPU quotas, in microseconds. */
const PERIOD = 100_000
/** The kernel's minimum quota is a millisecond per period. */
const LEAST_PERCENT = 1

/** Limits the CPU time of a group. @param percent of one core; undefined for no limit */
export function limitCpu(group: string, percent: number | undefined): void {
  const files = quotaFiles(group)
  if (files.length === 0) {
    if (percent === undefined) return
    throw new Problem('This machine cannot limit the CPU time of a host.', {
      next: 'Boot it with the cpu controller of cgroups enabled.',
    })
  }
  const quota = percent === undefined ? undefined : Math.round((PERIOD * percent) / 100)
  for (const { path, version } of files) {
    if (version === 2) writeFileSync(path, `${quota ?? 'max'} ${PERIOD}`)
    else writeFileSync(path, String(quota ?? -1))
  }
}

/** The CPU time of a group since its creation, in milliseconds. */
export function cpuUsed(group: string): number {
  for (const { path, version } of hierarchies()) {
    const [file, pattern, unit] =
      version === 2
        ? (['cpu.stat', /^usage_usec (\d+)/m, 1_000] as const)
        : (['cpuacct.usage', /^(\d+)/, 1_000_000] as const)
    const [, used] = pattern.exec(contents(join(path, group, file))) ?? []
    if (used !== undefined) return Number(used) / unit
  }
  return 0
}

/** @returns a percentage that {@link limitCpu} accepts */
export function checkPercent(percent: number): number {
  if (Number.isFinite(percent) && percent >= LEAST_PERCENT) return percent
  throw new Problem(`A host cannot have ${percent} % of a core.`, {
    next: `Give a number of at least ${LEAST_PERCENT}: 5`,
  })
}

function quotaFiles(group: string): readonly { readonly path: string; readonly version: 1 | 2 }[] {
  return hierarchies()
    .map(({ path, version }) => {
      const file = version === 2 ? 'cpu.max' : 'cpu.cfs_quota_us' // The default period is 100 ms.
      return { path: join(path, group, file), version }
    })
    .filter(({ path }) => existsSync(path))
}

function contents(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return '' // The controller is in another hierarchy, or the group was removed.
  }
}
