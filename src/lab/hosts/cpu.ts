import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Problem } from '../../model/problem.ts'
import { hierarchies } from './cgroups.ts'

/** The kernel hands out processor time in periods of this length, in microseconds. */
const PERIOD = 100_000
/** The kernel takes no smaller quota than a millisecond a period. */
export const LEAST_PERCENT = 1

/** Limits the processor time of a group. @param percent of one core; undefined for no limit */
export function limitCpu(group: string, percent: number | undefined): void {
  const files = quotaFiles(group)
  if (files.length === 0) {
    if (percent === undefined) return
    throw new Problem('This machine cannot limit the processor time of a host.', {
      next: 'Boot it with the cpu controller of cgroups enabled.',
    })
  }
  const quota = percent === undefined ? undefined : Math.round((PERIOD * percent) / 100)
  for (const { path, version } of files) {
    if (version === 2) writeFileSync(path, `${quota ?? 'max'} ${PERIOD}`)
    else writeFileSync(path, String(quota ?? -1))
  }
}

/** The processor time that a group has used since it was made, in milliseconds. */
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

/** @returns a percentage that {@link limitCpu} takes */
export function checkPercent(percent: number): number {
  if (Number.isFinite(percent) && percent >= LEAST_PERCENT) return percent
  throw new Problem(`A host cannot have ${percent} % of a core.`, {
    next: `Give a number of at least ${LEAST_PERCENT}: 5`,
  })
}

function quotaFiles(group: string): readonly { readonly path: string; readonly version: 1 | 2 }[] {
  return hierarchies()
    .map(({ path, version }) => {
      const file = version === 2 ? 'cpu.max' : 'cpu.cfs_quota_us' // its period is 100 ms unless it is changed
      return { path: join(path, group, file), version }
    })
    .filter(({ path }) => existsSync(path))
}

function contents(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return '' // the controller is in another hierarchy, or the group has ended
  }
}
