import { setTimeout as sleep } from 'node:timers/promises'
import { Problem } from '../../model/problem.ts'
import { elapsed } from '../../shell/duration.ts'
import { sh } from '../../shell/sh.ts'
import { Clock } from '../../transport/clock.ts'
import { ConnectionLost, Unreachable } from '../../transport/errors.ts'
import type { Result, Session, ShellInfo, TripOptions } from '../../transport/session/session.ts'
import { type HostScript, type OpenedSession, runInParts, toProblem } from './scripts.ts'

/** A session that survives reboots of its host: it is opened again when the host is back. It may be closed between two uses. */
export class ReconnectingSession implements Session {
  readonly #host: string
  readonly #reopen: () => Promise<OpenedSession>
  readonly #clock: Clock
  /** Undefined after {@link release}. */
  #now: OpenedSession | undefined
  /** The round trips and the traffic of the sessions before. */
  #before: Counts = { trips: 0, sent: 0, received: 0 }
  #last: Promise<unknown> = Promise.resolve()

  /** @param reopen opens a session like the first one: with the same checks and the same lock */
  constructor(host: string, first: OpenedSession, reopen: () => Promise<OpenedSession>) {
    this.#host = host
    this.#now = first
    this.#clock = first.clock ?? new Clock()
    this.#reopen = reopen
  }

  get opened(): Promise<ShellInfo> {
    return this.#current().then(({ session }) => session.opened)
  }

  get trips(): number {
    return this.#before.trips + (this.#now?.session.trips ?? 0)
  }

  get traffic(): { readonly sent: number; readonly received: number } {
    const { sent = 0, received = 0 } = this.#now?.session.traffic ?? {}
    return { sent: this.#before.sent + sent, received: this.#before.received + received }
  }

  /** Overlapping calls run in order, so that they wait for the end of a reboot. */
  run(scripts: readonly HostScript[], options: TripOptions = {}): Promise<readonly Result[]> {
    const results = this.#last.then(() => this.#run(scripts, options))
    this.#last = results.catch(() => {})
    return results
  }

  async close(): Promise<void> {
    await this.#last
    await this.#now?.close()
  }

  /** Closes the session after the calls so far. The next call opens it again. Never rejects. */
  release(): Promise<void> {
    const released = this.#last.then(() => this.#leave()?.close()).catch(() => {})
    this.#last = released
    return released
  }

  async #current(): Promise<OpenedSession> {
    this.#now ??= await this.#reopen()
    return this.#now
  }

  /** Forgets the current session, except for its counts. */
  #leave(): OpenedSession | undefined {
    const now = this.#now
    this.#before = { trips: this.trips, ...this.traffic }
    this.#now = undefined
    return now
  }

  async #run(scripts: readonly HostScript[], options: TripOptions): Promise<readonly Result[]> {
    const { session, timeoutFactor = 1 } = await this.#current()
    if (scripts.every(({ reboots }) => reboots === undefined)) return session.run(scripts, options)
    // Scripts after a reboot wait for it in any case.
    return runInParts(
      scripts,
      { ...options, stopAtFailure: true },
      ({ reboots }, before) => reboots === undefined && before.reboots === undefined,
      (part) =>
        part[0]?.reboots === undefined
          ? this.#current().then((now) => now.session.run(part, options))
          : this.#reboot(part[0], part[0].reboots * timeoutFactor),
    )
  }

  async #reboot(script: HostScript, within: number): Promise<readonly Result[]> {
    const { session } = await this.#current()
    const { boot } = await stateOf(session)
    const results = await session.run([script]).catch((error: unknown) => {
      // The host may go down before it answers.
      if (error instanceof Unreachable) return []
      throw error
    })
    if (results.some(({ code }) => code !== 0)) return results
    await this.#waitForBoot(boot, within)
    return [DONE]
  }

  /** Waits until the host has booted again; asks over the current session as long as that lasts. */
  async #waitForBoot(before: string, within: number): Promise<void> {
    const over = new AbortController()
    const limit = this.#clock.limit({ ms: within, expire: () => over.abort() })
    try {
      await this.#pollBoot(before, { within, over: over.signal })
    } finally {
      limit.end()
    }
  }

  async #pollBoot(
    before: string,
    { within, over }: { readonly within: number; readonly over: AbortSignal },
  ): Promise<void> {
    let current: OpenedSession | undefined = this.#now
    let state: HostState | undefined
    let failure: Problem | undefined
    const late = new Promise<undefined>((resolve) => {
      over.addEventListener('abort', () => resolve(undefined), { once: true })
    })
    while (!over.aborted) {
      try {
        current ??= await this.#reopened(late)
        state = await stateOf(current.session)
        if (state.boot !== before && !state.booting) return
      } catch (error) {
        failure = toProblem(error, this.#host)
        if (isFinal(error)) throw error
        // close() is not awaited: the host is gone.
        void current?.close()
        current = undefined
      }
      await sleep(PAUSE)
    }
    throw current && state ? this.#stuck(state, before, within) : this.#gone(within, failure)
  }

  /** @param late resolves at the end of the limit */
  async #reopened(late: Promise<undefined>): Promise<OpenedSession> {
    const opening = this.#reopen()
    const opened = await Promise.race([opening, late])
    if (!opened) {
      opening.then(({ close }) => close()).catch(() => {})
      throw new ConnectionLost(this.#host, 'no answer')
    }
    this.#leave()
    this.#now = opened
    return opened
  }

  #gone(within: number, failure: Problem | undefined): ConnectionLost {
    return new ConnectionLost(this.#host, `it did not come back within ${elapsed(within)} of its reboot`, {
      details: failure ? [failure.message, ...failure.details] : [],
      next: 'Look at its console. When it is up, the same command goes on from there.',
    })
  }

  #stuck({ boot, booting }: HostState, before: string, within: number): Problem {
    const what =
      boot === before
        ? `was reported to reboot and still runs ${elapsed(within)} later`
        : `has rebooted and is not done with booting after ${elapsed(within)}`
    return new Problem(`${this.#host} ${what}`, {
      details: booting ? [booting] : [],
      next: 'See with `systemctl list-jobs` on the host what it waits for.',
    })
  }
}

interface Counts {
  readonly trips: number
  readonly sent: number
  readonly received: number
}

interface HostState {
  readonly boot: string
  /** The state of systemd during the boot; undefined after its end. */
  readonly booting: string | undefined
}

const STATE = sh`cat /proc/sys/kernel/random/boot_id; systemctl is-system-running 2>&1`

async function stateOf(session: Session): Promise<HostState> {
  const [result] = await session.run([{ script: STATE, mode: 'isolated', timeout: 10_000 }])
  const [boot = '', state = ''] = (result?.stdout.toString() ?? '').split('\n')
  return { boot, booting: /^(running|degraded|maintenance)$/.test(state) ? undefined : `it is ${state}` }
}

/** True for errors that another attempt cannot solve, such as a changed host key. */
function isFinal(error: unknown): boolean {
  return error instanceof Unreachable && ['host-key', 'settings'].includes(error.reason)
}

/** Milliseconds between two questions to a host that reboots. */
const PAUSE = 250

const NOTHING = Buffer.alloc(0)

const DONE: Result = { code: 0, stdout: NOTHING, stderr: NOTHING, skipped: false, timedOut: false }
