import { existsSync, readFileSync, statSync } from 'node:fs'
import { elapsed } from '../../shell/duration.ts'

/** Measures the progress of a host that starts or stops. */
export interface HostActivity {
  /** systemd units that have started, stopped or failed. */
  readonly units: number
  /** Used CPU time in milliseconds. */
  readonly cpu: number
}

/** In milliseconds. systemd waits 90 s for a unit and then continues without it. */
const IDLE = 100_000
/** CPU milliseconds. A host that uses less in that time waits for something, however slow it is: one percent of a core is more. */
const IDLE_CPU = 500
/** CPU milliseconds; no unit needs more to start. As CPU time, it gives a slow host longer. */
const BUSY_CPU = 120_000

/** Distinguishes a slow host from one that hangs. */
export class Progress {
  /** The last progress: its time, and the CPU time used until then. */
  #moved: { readonly at: number; readonly cpu: number }
  /** The CPU time used until the last unit was done. */
  #unitCpu: number
  #last: HostActivity

  /** @param at now, in milliseconds */
  constructor(at: number, first: HostActivity) {
    this.#moved = { at, cpu: first.cpu }
    this.#unitCpu = first.cpu
    this.#last = first
  }

  /** The reason to stop waiting; undefined while the host makes progress. */
  stalled(at: number, now: HostActivity): string | undefined {
    const rebooted = now.cpu < this.#last.cpu
    if (now.units > this.#last.units || rebooted) this.#unitCpu = now.cpu
    if (now.units > this.#last.units || rebooted || now.cpu - this.#moved.cpu >= IDLE_CPU)
      this.#moved = { at, cpu: now.cpu }
    this.#last = now
    if (at - this.#moved.at >= IDLE) return `did nothing for ${elapsed(at - this.#moved.at)}`
    const spent = now.cpu - this.#unitCpu
    return spent >= BUSY_CPU ? `used ${elapsed(spent)} of CPU time without a result` : undefined
  }
}

/** @example '12 units started, 1.32 s of CPU time used' */
export function describeActivity({ units, cpu }: HostActivity, done: 'started' | 'stopped'): string {
  const count = units === 1 ? '1 unit' : `${units} units`
  return `${count} ${done}, ${elapsed(cpu)} of CPU time used`
}

/** The number of units that systemd has reported as done on a console. */
export function unitsDone(text: string): number {
  return text.match(/\[(?: {2}OK {2}|FAILED|DEPEND)\]/g)?.length ?? 0
}

/** The console output of a host, across all its boots. */
export class Console {
  readonly path: string
  /** The start of the current boot, in bytes. */
  #start = 0

  constructor(path: string) {
    this.path = path
  }

  /** Marks the start of a new boot. */
  begin(): void {
    this.#start = existsSync(this.path) ? statSync(this.path).size : 0
  }

  /** The output of the current boot. */
  text(): string {
    return this.#read().subarray(this.#start).toString()
  }

  lastLines(): readonly string[] {
    const text = this.#read().toString().trim()
    return text === '' ? [] : text.split('\n').slice(-12)
  }

  #read(): Buffer {
    return existsSync(this.path) ? readFileSync(this.path) : Buffer.alloc(0)
  }
}
