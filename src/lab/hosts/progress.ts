import { elapsed } from '../../shell/duration.ts'

/** How far a host has come with starting or stopping, as seen from outside. */
export interface HostActivity {
  /** Units of its systemd that have started, stopped or failed. */
  readonly units: number
  /** Processor time that it has used, in milliseconds. */
  readonly cpu: number
}

/** systemd itself gives a unit 90 s to start or stop; after that the boot goes on without it. In milliseconds. */
const IDLE = 100_000
/** A host that uses less than this in that time, in milliseconds, waits for something, however slow it is: a percent of a core is more. */
const IDLE_CPU = 500
/** No unit needs so much processor time to start, in milliseconds. The host's own time, so a slow host gets longer. */
const BUSY_CPU = 120_000

/** Tells a slow host from one that is stuck. */
export class Progress {
  /** When it was last seen to have moved, and what it had used by then. */
  #moved: { readonly at: number; readonly cpu: number }
  /** What it had used when its last unit was done. */
  #unitCpu: number
  #last: HostActivity

  /** @param at now, in milliseconds */
  constructor(at: number, first: HostActivity) {
    this.#moved = { at, cpu: first.cpu }
    this.#unitCpu = first.cpu
    this.#last = first
  }

  /** Why it is pointless to wait longer; undefined while the host makes progress. */
  stalled(at: number, now: HostActivity): string | undefined {
    const begunAnew = now.cpu < this.#last.cpu // it rebooted meanwhile
    if (now.units > this.#last.units || begunAnew) this.#unitCpu = now.cpu
    if (now.units > this.#last.units || begunAnew || now.cpu - this.#moved.cpu >= IDLE_CPU)
      this.#moved = { at, cpu: now.cpu }
    this.#last = now
    if (at - this.#moved.at >= IDLE) return `did nothing for ${elapsed(at - this.#moved.at)}`
    const spent = now.cpu - this.#unitCpu
    return spent >= BUSY_CPU ? `used ${elapsed(spent)} of processor time without a result` : undefined
  }
}

/** @example '12 units started, 1.32 s of processor time used' */
export function describeActivity({ units, cpu }: HostActivity, done: 'started' | 'stopped'): string {
  const count = units === 1 ? '1 unit' : `${units} units`
  return `${count} ${done}, ${elapsed(cpu)} of processor time used`
}

/** Units that systemd has reported as done on a console. */
export function unitsDone(text: string): number {
  return text.match(/\[(?: {2}OK {2}|FAILED|DEPEND)\]/g)?.length ?? 0
}
