import { setMaxListeners } from 'node:events'
import type { RunEvent } from '../../model/event.ts'
import type { Host } from '../../model/inventory/host.ts'
import type { Problem } from '../../model/problem.ts'
import { AnswerStore } from '../../model/resource/answer-store.ts'
import type { Ask } from '../../model/resource/question.ts'
import { readAll } from '../../model/resource/read.ts'
import { catchFailures } from '../../model/resource/read-failure.ts'
import { milliseconds } from '../../shell/duration.ts'
import { BecomeFailed } from '../../transport/errors.ts'
import { HostLocked } from '../../transport/session/lock.ts'
import type { Script, Session } from '../../transport/session/session.ts'
import { readHost } from './batch.ts'
import { confirmingSession } from './confirming-session.ts'
import { DelegatingSession } from './delegating-session.ts'
import { HostRun } from './host-run.ts'
import { waitForLock } from './lock-wait.ts'
import { type ReadLimits, watched } from './read-limits.ts'
import { ReconnectingSession } from './reconnecting-session.ts'
import { recoverTransactions, reportTransactions } from './recover-transactions.ts'
import { type OpenedSession, toProblem } from './scripts.ts'

/** @param stop gives up the host, also when its session is open; only before anything is changed there */
export type OpenSession = (host: Host, purpose: Purpose, stop?: AbortSignal) => Promise<OpenedSession>

/** Whether the session may change the host, or only looks. */
export type Purpose = 'change' | 'look'

/** For questions that have limits of their own, such as checks. */
const LONG: ReadLimits = { limit: 600_000, notice: 600_000 }

export interface HostsOptions {
  /** How long a question to a host may take. @default 10 minutes */
  readonly reads?: ReadLimits
  /** While it is aborted no host is connected, and those being connected or read are given up. */
  readonly stop?: AbortSignal
  readonly wait?: LockWaitOptions
}

/** What is done about a host that another run holds. */
export interface LockWaitOptions {
  /** Milliseconds until it is given up. @default 0, it is given up at once */
  readonly ms: number
  /** Ends the waiting. */
  readonly stop?: AbortSignal
}

/** The hosts that a run has met, and what they have answered. */
export class Hosts {
  readonly answers = new AnswerStore()
  /** Hosts that could not be reached, and why. */
  readonly unreachable = new Map<string, Problem>()
  readonly #members = new Map<
    string,
    { readonly purpose: Purpose; readonly meeting: Promise<HostRun | undefined> }
  >()
  readonly #met = new Map<string, HostRun>()
  readonly #sessions: Session[] = []
  readonly #connected = new Set<string>()
  readonly #open: OpenSession
  readonly #emit: (event: RunEvent) => void
  readonly #stop: AbortSignal | undefined

  readonly #reads: ReadLimits
  readonly #wait: LockWaitOptions

  constructor(
    open: OpenSession,
    emit: (event: RunEvent) => void,
    { reads = LONG, stop, wait = { ms: 0 } }: HostsOptions = {},
  ) {
    this.#open = open
    this.#emit = emit
    this.#reads = reads
    this.#stop = stop
    this.#wait = wait
    // One listener for each host.
    for (const signal of [stop, wait.stop]) if (signal) setMaxListeners(0, signal)
  }

  /** Connects to a host once, and asks it these questions together with its facts. Undefined when it cannot be reached. */
  connect(host: Host, purpose: Purpose, first: readonly Ask[] = []): Promise<HostRun | undefined> {
    const known = this.#members.get(host.name)
    if (known && (known.purpose === 'change' || purpose === 'look')) return known.meeting
    const meeting = this.#meet(host, purpose, first)
    this.#members.set(host.name, { purpose, meeting })
    return meeting
  }

  async #meet(host: Host, purpose: Purpose, first: readonly Ask[]): Promise<HostRun | undefined> {
    const stop = this.#stop
    const given = new AbortController()
    const giveUp = () => given.abort()
    stop?.addEventListener('abort', giveUp)
    try {
      if (stop?.aborted) return this.#skip(first)
      const { met, meet } = await waitForLock(
        () => this.#greet(host, { purpose, first, stop: given.signal }),
        {
          wait: this.#wait.ms,
          host: host.name,
          emit: this.#emit,
          stop: this.#wait.stop,
        },
      )
      const [member, answers] = await recoveredFirst(met, {
        purpose,
        meet,
        emit: this.#emit,
        // What is taken back now is not cut off.
        keep: () => stop?.removeEventListener('abort', giveUp),
      })
      for (const [i, one] of first.entries()) this.answers.set(one, answers[i])
      this.#met.set(host.name, member)
      return member
    } catch (error) {
      const gaveUp = error instanceof HostLocked && this.#wait.stop?.aborted
      if (stop?.aborted || gaveUp) return this.#skip(first)
      for (const one of first) this.answers.set(one, undefined)
      this.markUnreachable(host.name, toProblem(error, host.name))
      return undefined
    }
  }

  /** Opens a session and makes the first round trip, which tells whether the host's lock could be taken. */
  async #greet(host: Host, { purpose, first, stop }: ConnectRequest) {
    const began = performance.now()
    const opened = await this.#open(host, purpose, stop)
    const session = new ReconnectingSession(host.name, opened, () => this.#open(host, purpose))
    this.#sessions.push(session)
    const ms = performance.now() - began
    if (!this.#connected.has(host.name)) this.#emit({ kind: 'connected', host: host.name, ms })
    this.#connected.add(host.name)
    const routed = new DelegatingSession(
      host.name,
      watched(
        confirmingSession(session, () => this.#open(host, 'look')),
        { host: host.name, limits: this.#readLimits(host), emit: this.#emit },
      ),
      (other, scripts) => this.#sessionOf(other, scripts),
    )
    const meet = () =>
      HostRun.connect(host, routed, readAll(first.map(({ question }) => catchFailures(question.read))))
    try {
      return { met: await meet(), meet }
    } catch (error) {
      // Another try opens another session.
      if (error instanceof HostLocked) void session.close()
      throw error
    }
  }

  #skip(asks: readonly Ask[]): undefined {
    for (const one of asks) this.answers.set(one, undefined)
  }

  #readLimits({ timeouts }: Host): ReadLimits {
    const limit = timeouts?.read === undefined ? this.#reads.limit : milliseconds(timeouts.read)
    return { ...this.#reads, limit }
  }

  /** How often this run has changed a host so far. */
  versionOf(host: string): number {
    return this.#met.get(host)?.version ?? 0
  }

  /** Of a host that steps of another's turn are for. Scripts that only ask may be for a host that is only looked at. */
  async #sessionOf(host: Host, scripts: readonly Script[]): Promise<Session | undefined> {
    const changes = scripts.some(({ mayFail }) => !mayFail)
    const member = await this.connect(host, changes ? 'change' : 'look')
    if (member && changes) member.version++
    return this.unreachable.has(host.name) ? undefined : member?.session
  }

  markUnreachable(host: string, problem: Problem): void {
    if (this.unreachable.has(host)) return
    this.unreachable.set(host, problem)
    if (problem instanceof BecomeFailed) this.#emit({ kind: 'failed', play: '', host, problem })
    else this.#emit({ kind: 'unreachable', host, problem })
  }

  /** Asks what is not answered yet, each host in one round trip. A host that is not part of the run is only looked at. */
  async ask(asks: readonly Ask[]): Promise<void> {
    const open = asks.filter((one) => !this.answers.has(one))
    const byHost = new Map<string, Ask[]>()
    for (const one of open) byHost.set(one.host.name, [...(byHost.get(one.host.name) ?? []), one])
    await Promise.all([...byHost.values()].map((own) => this.#inquireOf(own)))
  }

  async #inquireOf(asks: readonly Ask[]): Promise<void> {
    const host = asks[0]?.host
    if (!host) return
    const member = await this.connect(host, 'look', asks)
    const left = asks.filter((one) => !this.answers.has(one))
    if (left.length === 0) return
    try {
      const answers = member
        ? await readHost(member.session, readAll(left.map(({ question }) => catchFailures(question.read))))
        : []
      for (const [i, one] of left.entries()) this.answers.set(one, answers[i])
    } catch (error) {
      if (this.#stop?.aborted) return this.#skip(left)
      for (const one of left) this.answers.set(one, undefined)
      this.markUnreachable(host.name, toProblem(error, host.name))
    }
  }

  get traffic(): { sent: number; received: number } {
    const sum = { sent: 0, received: 0 }
    for (const { traffic } of this.#sessions) {
      sum.sent += traffic.sent
      sum.received += traffic.received
    }
    return sum
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#sessions.map((session) => session.close()))
  }
}

interface ConnectRequest {
  readonly purpose: Purpose
  readonly first: readonly Ask[]
  readonly stop: AbortSignal
}

interface RecoverFirst<T> {
  readonly purpose: Purpose
  readonly meet: () => Promise<readonly [HostRun, T]>
  readonly emit: (event: RunEvent) => void
  /** Called before anything is changed. */
  readonly keep: () => void
}

/** A host is met anew when a transaction of an earlier run had to be taken back first: it is another one then. */
async function recoveredFirst<T>(
  met: readonly [HostRun, T],
  { purpose, meet, emit, keep }: RecoverFirst<T>,
): Promise<readonly [HostRun, T]> {
  const [{ name: host, session, unfinished }] = met
  if (unfinished.length === 0) return met
  if (purpose === 'look') {
    reportTransactions({ host, unfinished }, emit)
    return met
  }
  keep()
  const problem = await recoverTransactions({ host, session, unfinished }, emit)
  const again = await meet()
  if (problem) {
    again[0].problem = problem
    emit({ kind: 'failed', play: '', host, problem })
  }
  return again
}
