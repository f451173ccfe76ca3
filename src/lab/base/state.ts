import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { Problem } from '../../model/problem.ts'
import { labPaths } from './paths.ts'

/** A release of Debian that a lab can run. */
export type Debian = 12 | 13

export interface HostState {
  readonly name: string
  readonly address: string
  /** The loopback port of its sshd. */
  readonly port: number
  /** The fingerprint of its sshd's key: `SHA256:…`. */
  readonly hostKey: string
}

/** The saved state of a lab. The supervisor has the current state of its hosts. */
export interface LabState {
  readonly name: string
  readonly debian: Debian
  /** The root directory of the base image of the hosts' disks. */
  readonly base: string
  readonly supervisor: ProcessId
  readonly hosts: readonly HostState[]
  readonly ports: { readonly https: number; readonly http: number }
  /** Limit of each host's CPU time in percent of a core. @default no limit */
  readonly cpuPercent?: number
}

/** The saved state of a lab, up or not; undefined if there is none or its file is incomplete. */
export function readState(name: string): LabState | undefined {
  try {
    return JSON.parse(readFileSync(labPaths(name).state, 'utf8')) as LabState
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'ENOENT') return undefined
    if (code !== 'EACCES') throw error
    throw new Problem(`The lab "${name}" belongs to another user.`, { next: 'the same with sudo', cause: error })
  }
}

export function writeState(state: LabState): void {
  const { state: path } = labPaths(state.name)
  writeFileSync(`${path}.new`, `${JSON.stringify(state, undefined, 2)}\n`, { mode: 0o600 })
  renameSync(`${path}.new`, path)
}

export function isUp(state: LabState | undefined): state is LabState {
  return state !== undefined && isAlive(state.supervisor)
}

/** A process, identified by its pid, its start time and the boot of the machine. */
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

/** The running children of a process. */
export function childrenOf(pid: number): readonly number[] {
  return (read(`/proc/${pid}/task/${pid}/children`) ?? '').split(' ').filter(Boolean).map(Number)
}

function look(pid: number): { readonly started: string } | undefined {
  const stat = read(`/proc/${pid}/stat`)
  if (stat === undefined) return undefined
  const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ') // The name may contain spaces and parentheses.
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
    return undefined // It has ended.
  }
}
