import { setTimeout as sleep } from 'node:timers/promises'
import { Problem } from '../../model/problem.ts'
import { elapsed } from '../../shell/duration.ts'
import { sh } from '../../shell/sh.ts'
import { Clock } from '../../transport/clock.ts'
import { ConnectionLost, Unreachable } from '../../transport/errors.ts'
import type { Result, Session, ShellInfo, TripOptions } from '../../transport/session/session.ts'
import { type HostScript, type OpenedSession, runInParts, toProblem } from './scripts.ts'

/** A host's session that outlives the host's reboots: when the host is back, another one takes its place. */
export class ReconnectingSession implements Session {
  readonly #host: string
  readonly #again: () => Promise<OpenedSession>
  readonly #past: Session[] = []
  readonly #clock: Clock
  #now: OpenedSession
  #last: Promise<unknown> = Promise.resolve()

  /** @param again opens a session as the first was opened: the same checks, the same lock */
  constructor(host: string, first: OpenedSession, again: () => Promise<OpenedSession>) {
    this.#host = host
    this.#now = first
    this.#clock = first.clock ?? new Clock()
    this.#again = again
  }

  get opened(): Promise<ShellInfo> {
    return this.#now.session.opened
  }

  get trips(): number {
    return this.#all.reduce((sum, { trips }) => sum + trips, 0)
  }

  get traffic(): { readonly sent: number; readonly received: number } {
    const all = this.#all.map(({ traffic }) => traffic)
    return {
      sent: all.reduce((sum, { sent }) => sum + sent, 0),
      received: all.reduce((sum, { received }) => sum + received, 0),
    }
  }

  /** What others want of the host meanwhile waits until a reboot is over. */
  run(scripts: readonly HostScript[], options: TripOptions = {}): Promise<readonly Result[]> {
    const results = this.#last.then(() => this.#travel(scripts, options))
    this.#last = results.catch(() => {})
    return results
  }

  async close(): Promise<void> {
    await this.#last
    await this.#now.close()
  }

  get #all(): readonly Session[] {
    return [...this.#past, this.#now.session]
  }

  async #travel(scripts: readonly HostScript[], options: TripOptions): Promise<readonly Result[]> {
    if (scripts.every(({ reboots }) => reboots === undefined)) return this.#now.session.run(scripts, options)
    // What stands behind a reboot waits for it in any case.
    return runInParts(
      scripts,
      { ...options, stopAtFailure: true },
      ({ reboots }, before) => reboots === undefined && before.reboots === undefined,
      (part) =>
        part[0]?.reboots === undefined
          ? this.#now.session.run(part, options)
          : this.#reboot(part[0], part[0].reboots * (this.#now.timeoutFactor ?? 1)),
    )
  }

  async #reboot(script: HostScript, within: number): Promise<readonly Result[]> {
    const { boot } = await stateOf(this.#now.session)
    const told = await this.#now.session.run([script]).catch((error: unknown) => {
      // It may be quicker to go down than to answer.
      if (error instanceof Unreachable) return []
      throw error
    })
    if (told.some(({ code }) => code !== 0)) return told
    await this.#return(boot, within)
    return [DONE]
  }

  /** Waits until the host has booted anew, with the session that is there as long as it lasts. */
  async #return(before: string, within: number): Promise<void> {
    const over = new AbortController()
    const limit = this.#clock.limit({ ms: within, expire: () => over.abort() })
    try {
      await this.#booted(before, { within, over: over.signal })
    } finally {
      limit.end()
    }
  }

  async #booted(
    before: string,
    { within, over }: { readonly within: number; readonly over: AbortSignal },
  ): Promise<void> {
    let there: OpenedSession | undefined = this.#now
    let state: HostState | undefined
    let trouble: Problem | undefined
    const late = new Promise<undefined>((resolve) => {
      over.addEventListener('abort', () => resolve(undefined), { once: true })
    })
    while (!over.aborted) {
      try {
        there ??= await this.#reopened(late)
        state = await stateOf(there.session)
        if (state.boot !== before && !state.booting) return
      } catch (error) {
        trouble = toProblem(error, this.#host)
        if (isFinal(error)) throw error
        // Nobody waits for leave to be taken of a host that is gone.
        void there?.close()
        there = undefined
      }
      await sleep(PAUSE)
    }
    throw there && state ? this.#stuck(state, before, within) : this.#gone(within, trouble)
  }

  /** @param late resolves when the host may no longer come back */
  async #reopened(late: Promise<undefined>): Promise<OpenedSession> {
    const opening = this.#again()
    const opened = await Promise.race([opening, late])
    if (!opened) {
      opening.then(({ close }) => close()).catch(() => {})
      throw new ConnectionLost(this.#host, 'no answer')
    }
    this.#past.push(this.#now.session)
    this.#now = opened
    return opened
  }

  #gone(within: number, trouble: Problem | undefined): ConnectionLost {
    return new ConnectionLost(this.#host, `it did not come back within ${elapsed(within)} of its reboot`, {
      details: trouble ? [trouble.message, ...trouble.details] : [],
      next: 'Look at its console. When it is up, the same command goes on from there.',
    })
  }

  #stuck({ boot, booting }: HostState, before: string, within: number): Problem {
    const what =
      boot === before
        ? `was told to reboot and still runs ${elapsed(within)} later`
        : `has rebooted and is not done with booting after ${elapsed(within)}`
    return new Problem(`${this.#host} ${what}`, {
      details: booting ? [booting] : [],
      next: 'See with `systemctl list-jobs` on the host what it waits for.',
    })
  }
}

interface HostState {
  readonly boot: string
  /** What it says of itself while it starts what is to be started; undefined when it is done. */
  readonly booting: string | undefined
}

const STATE = sh`cat /proc/sys/kernel/random/boot_id; systemctl is-system-running 2>&1`

async function stateOf(session: Session): Promise<HostState> {
  const [result] = await session.run([{ script: STATE, mode: 'isolated', timeout: 10_000 }])
  const [boot = '', state = ''] = (result?.stdout.toString() ?? '').split('\n')
  return { boot, booting: /^(running|degraded|maintenance)$/.test(state) ? undefined : `it is ${state}` }
}

/** What no patience mends: another host may have taken its place. */
function isFinal(error: unknown): boolean {
  return error instanceof Unreachable && ['host-key', 'settings'].includes(error.reason)
}

/** Milliseconds between two looks at a host that is to go down and come back. */
const PAUSE = 250

const NOTHING = Buffer.alloc(0)

const DONE: Result = { code: 0, stdout: NOTHING, stderr: NOTHING, skipped: false, timedOut: false }
