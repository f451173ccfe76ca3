import { readFileSync } from 'node:fs'

/** A process, told from a later one with the same number: by when it started, and on which boot of the machine. */
export interface ProcessId {
  readonly pid: number
  /** In clock ticks since the machine booted. */
  readonly started: string
  readonly boot: string
}

export function processId(pid: number): ProcessId | undefined {
  const found = look(pid)
  return found && { pid, started: found.started, boot: machineBoot() }
}

export function isAlive({ pid, started, boot }: ProcessId): boolean {
  return look(pid)?.started === started && machineBoot() === boot
}

/** The processes that this one started and that have not ended. */
export function childrenOf(pid: number): readonly number[] {
  return (read(`/proc/${pid}/task/${pid}/children`) ?? '').split(' ').filter(Boolean).map(Number)
}

function look(pid: number): { readonly started: string } | undefined {
  const stat = read(`/proc/${pid}/stat`)
  if (stat === undefined) return undefined
  const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ') // its name may hold spaces and brackets
  const started = fields[18]
  return state === 'Z' || state === 'X' || started === undefined ? undefined : { started }
}

function machineBoot(): string {
  return read('/proc/sys/kernel/random/boot_id')?.trim() ?? ''
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined // it ended, maybe between two of our reads
  }
}
