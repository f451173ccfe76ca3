import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { Problem } from '../model/problem.ts'
import { labPaths } from './paths.ts'
import { isAlive, type ProcessId } from './process-id.ts'

/** A release of Debian that a lab can run. */
export type Debian = 12 | 13

export interface HostState {
  readonly name: string
  readonly address: string
  /** Where on loopback its sshd answers. */
  readonly port: number
  /** The fingerprint of its sshd's key: `SHA256:…`. */
  readonly hostKey: string
}

/** What a lab is, as its supervisor wrote it down. What its hosts do right now is asked of the supervisor. */
export interface LabState {
  readonly name: string
  readonly debian: Debian
  /** The root directory of the base image that the hosts' disks are laid over. */
  readonly base: string
  readonly supervisor: ProcessId
  readonly hosts: readonly HostState[]
  readonly ports: { readonly https: number; readonly http: number }
  /** Percent of a core that each host gets. @default no limit */
  readonly cpuPercent?: number
}

/** The state of a lab, up or not; undefined when there is none, or its file was never finished. */
export function readState(name: string): LabState | undefined {
  try {
    return JSON.parse(readFileSync(labPaths(name).state, 'utf8')) as LabState
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'ENOENT') return undefined
    if (code !== 'EACCES') throw error
    throw new Problem(`The lab "${name}" belongs to another user.`, {
      next: 'the same with sudo',
      cause: error,
    })
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
