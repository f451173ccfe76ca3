import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { STATE } from '../../src/lab/base/paths.ts'
import { SNAPSHOTS } from '../../src/lab/image/snapshots.ts'

/** The state of this machine that a test could leave behind. */
export interface Ground {
  readonly labs: readonly string[]
  /** Snapshots of labs. */
  readonly snapshots: readonly string[]
  readonly mounts: readonly string[]
  readonly groups: readonly string[]
  /** Process id and command line of each. */
  readonly processes: readonly string[]
}

export function ground(): Ground {
  return {
    labs: existsSync(STATE) ? readdirSync(STATE) : [],
    snapshots: existsSync(SNAPSHOTS) ? readdirSync(SNAPSHOTS) : [],
    mounts: readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      .flatMap((line) => line.split(' ')[4] ?? []),
    groups: controlGroups(),
    processes: readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .flatMap((id) => ourKind(id) ?? []),
  }
}

/** Returns what exists now and did not before, one line each. It is not removed: it may belong to another user of this machine. */
export function leftSince(before: Ground): readonly string[] {
  const now = ground()
  return (['labs', 'snapshots', 'mounts', 'groups', 'processes'] as const).flatMap((kind) =>
    now[kind].filter((one) => !before[kind].includes(one)).map((one) => `${kind}: ${one}`),
  )
}

const GROUPS = '/sys/fs/cgroup'

/** Returns the control groups of the first two levels: those of hosts are below. */
function controlGroups(): readonly string[] {
  const below = (path: string) =>
    readdirSync(path, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => `${path}/${name}`)
  return below(GROUPS).flatMap((group) => [group, ...below(group)])
}

/** Returns the line of a process that keeps a host running, or that a test starts and must end. */
function ourKind(id: string): string | undefined {
  try {
    const words = readFileSync(`/proc/${id}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
    return /nspawn|lxc-start|redir|mocha|supervisor|chrom|sshd: |\/sshd /.test(words)
      ? `${id} ${words.slice(0, 80)}`
      : undefined
  } catch {
    return undefined
  }
}
