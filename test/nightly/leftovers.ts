import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { STATE } from '../../src/lab/base/paths.ts'
import { SNAPSHOTS } from '../../src/lab/image/snapshots.ts'

/** What is on this machine that a test could leave behind. */
export interface Ground {
  readonly labs: readonly string[]
  /** Of labs. */
  readonly snapshots: readonly string[]
  readonly mounts: readonly string[]
  readonly groups: readonly string[]
  /** By number and command line. */
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

/** What is there now and was not before, in words. It is left as it is: it may be somebody's who works on this machine. */
export function leftSince(before: Ground): readonly string[] {
  const now = ground()
  return (['labs', 'snapshots', 'mounts', 'groups', 'processes'] as const).flatMap((kind) =>
    now[kind].filter((one) => !before[kind].includes(one)).map((one) => `${kind}: ${one}`),
  )
}

const GROUPS = '/sys/fs/cgroup'

/** Two floors of them: those of hosts are below. */
function controlGroups(): readonly string[] {
  const below = (path: string) =>
    readdirSync(path, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => `${path}/${name}`)
  return below(GROUPS).flatMap((group) => [group, ...below(group)])
}

/** Programs that hold hosts, or that tests begin and must end. */
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
