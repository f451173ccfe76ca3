import { setMaxListeners } from 'node:events'
import type { Mode, RunEvent } from '../../model/event.ts'
import type { Host } from '../../model/inventory/host.ts'
import type { Problem } from '../../model/problem.ts'
import { AnswerStore, type Ask } from '../../model/resource/question.ts'
import { catchFailures, type Read, readAll } from '../../model/resource/read.ts'
import { milliseconds } from '../../shell/duration.ts'
import { Semaphore } from '../../transport/concurrency.ts'
import { BecomeFailed } from '../../transport/errors.ts'
import { HostLocked, waitForLock } from '../../transport/session/lock.ts'
import type { Session } from '../../transport/session/session.ts'
import { readHost } from './batch.ts'
import { HostRun } from './host-run.ts'
import { ReconnectingSession } from './reconnecting-session.ts'
import { recoverTransactions, reportTransactions } from './recover-transactions.ts'
import { type HostScript, type OpenSession, toProblem } from './scripts.ts'
import { confirmingSession, delegatingSession, limitedSession, type ReadLimits } from './session-wrappers.ts'

/** For questions with limits of their own, such as checks. */
const LONG: ReadLimits = { limit: 600_000, notice: 600_000 }

interface HostsOptions {
  /** In `apply`, the hosts of the run are locked. @default 'plan' */
  readonly mode?: Mode
  /** The hosts of the run, with the questions that are asked together with their facts. @default none */
  readonly own?: ReadonlyMap<string, readonly Ask[]>
  /** The maximum number of hosts in progress. @default FORKS */
  readonly forks?: number | undefined
  /** The limits of questions. @default 10 minutes */
  readonly reads?: ReadLimits
  /** While it is aborted no host is connected; connections and questions in progress are given up. */
  readonly stop?: AbortSignal
  readonly wait?: LockWaitOptions
}

/** Options to wait for a host that another run has locked. */
interface LockWaitOptions {
  /** Milliseconds. @default 0: the host is given up at once */
  readonly ms: number
  /** Ends the wait. */
  readonly stop?: AbortSignal
}

/** The default of the maximum number of hosts in progress. */
export const FORKS = 100

interface ConnectOptions {
  readonly lock: boolean
  /** Questions that are asked together with the facts. */
  readonly asks: readonly Ask[]
}

interface Connection {
  readonly lock: boolean
  readonly hostRun: Promise<HostRun | undefined>
}

/**
 * The connections of a run, and the answers of its hosts. A run with more hosts than forks closes the session of a host after each of its
 * tasks, which also releases the lock of the host. So the open connections do not grow with the number of hosts.
 */
export class Hosts {
  readonly answers = new AnswerStore()
  /** The reasons, by the host's name. */
  readonly unreachable = new Map<string, Problem>()
  readonly #connections = new Map<string, Connection>()
  readonly #connected = new Map<string, HostRun>()
  readonly #sessions = new Map<string, ReconnectingSession[]>()
  /** Hosts whose task runs. */
  readonly #busy = new Set<string>()
  /** Hosts whose session was released after a task. */
  readonly #released = new Set<string>()
  /** Hosts whose session is open for other hosts, the one that was used last at the end. */
  readonly #helpers = new Set<string>()
  readonly #asking = new Map<Ask['question'], Map<string, Promise<void>>>()
  readonly #tasks: Semaphore
  /** A task may wait for answers, so questions have places of their own. */
  readonly #questions: Semaphore
  readonly #forks: number
  readonly #own: ReadonlyMap<string, readonly Ask[]>
  readonly #reported = new Set<string>()
  readonly #open: OpenSession
  readonly #emit: (event: RunEvent) => void
  readonly #mode: Mode
  readonly #stop: AbortSignal | undefined
  readonly #reads: ReadLimits
  readonly #wait: LockWaitOptions

  constructor(
    open: OpenSession,
    emit: (event: RunEvent) => void,
    { mode = 'plan', reads = LONG, stop, wait = { ms: 0 }, own = new Map(), forks = FORKS }: HostsOptions = {},
  ) {
    this.#own = own
    this.#forks = forks
    this.#tasks = new Semaphore(forks)
    this.#questions = new Semaphore(forks)
    this.#open = open
    this.#emit = emit
    this.#mode = mode
    this.#reads = reads
    this.#stop = stop
    this.#wait = wait
    // Each host adds a listener.
    for (const signal of [stop, wait.stop]) if (signal) setMaxListeners(0, signal)
  }

  /**
   * Connects to a host once, and asks a host of the run its first questions together with its facts.
   *
   * @returns undefined if the host is not reachable
   */
  async connect(host: Host): Promise<HostRun | undefined> {
    const asks = this.#own.get(host.name) ?? []
    const hostRun = await this.#connectOnce(host, { lock: this.#mode === 'apply', asks })
    if (hostRun) this.#helps(host.name)
    return hostRun
  }

  /**
   * Runs the task of a host, such as its turn, when fewer hosts than forks have one. Afterwards its session is released if the run has
   * more hosts than forks.
   */
  async task<T>({ name }: Pick<Host, 'name'>, work: () => Promise<T>): Promise<T> {
    return this.#tasks.run(async () => {
      this.#helpers.delete(name)
      this.#busy.add(name)
      try {
        return await work()
      } finally {
        this.#busy.delete(name)
        if (this.#own.size > this.#forks) {
          this.#released.add(name)
          await this.#release(name)
        }
      }
    })
  }

  /** Opens the session of a host again if it was released, and reads what other runs have done meanwhile. @throws Problem */
  async reopen(hostRun: HostRun): Promise<void> {
    if (!this.#released.delete(hostRun.name)) return
    const attempt = () =>
      hostRun.reopen().catch(async (error: unknown) => {
        await this.#release(hostRun.name)
        throw error
      })
    await waitForLock(attempt, { host: hostRun.name, ...this.#lockWait })
    if (hostRun.unfinished.length === 0) return
    const problem = await recoverTransactions(hostRun, this.#emit)
    if (problem) throw problem
    await hostRun.reopen()
  }

  /** True if the session of a host was released after its task. */
  isReleased({ name }: HostRun): boolean {
    return this.#released.has(name)
  }

  /** Asks each host its unanswered questions in one round trip, without a lock where the host is not part of the run. */
  async ask(asks: readonly Ask[]): Promise<void> {
    const byHost = new Map<string, Map<Ask['question'], Ask>>()
    const pending = new Set<Promise<void>>()
    for (const one of asks) {
      const { host, question } = one
      const known = this.#asking.get(question)?.get(host.name)
      if (known) pending.add(known)
      if (known || this.answers.has(one)) continue
      const own = byHost.get(host.name) ?? new Map<Ask['question'], Ask>()
      byHost.set(host.name, own.set(question, one))
    }
    for (const own of byHost.values()) pending.add(this.#askTogether([...own.values()]))
    await Promise.all(pending)
  }

  /** Asks one host. Others that need the same answers meanwhile wait for them. */
  async #askTogether(asks: readonly Ask[]): Promise<void> {
    const asked = this.#questions.run(() => this.#askOne(asks))
    for (const { host, question } of asks) {
      const byHost = this.#asking.get(question) ?? new Map<string, Promise<void>>()
      this.#asking.set(question, byHost.set(host.name, asked))
    }
    await asked.finally(() => {
      for (const { host, question } of asks) this.#asking.get(question)?.delete(host.name)
    })
  }

  /** Returns how many changes this run has made on a host. */
  versionOf(host: string): number {
    return this.#connected.get(host)?.version ?? 0
  }

  markUnreachable(host: string, problem: Problem): void {
    if (this.unreachable.has(host)) return
    this.unreachable.set(host, problem)
    if (problem instanceof BecomeFailed) this.#emit({ kind: 'failed', play: '', host, problem })
    else this.#emit({ kind: 'unreachable', host, problem })
  }

  get traffic(): { sent: number; received: number } {
    const sum = { sent: 0, received: 0 }
    for (const { traffic } of [...this.#sessions.values()].flat()) {
      sum.sent += traffic.sent
      sum.received += traffic.received
    }
    return sum
  }

  async close(): Promise<void> {
    await Promise.allSettled([...this.#sessions.values()].flat().map((session) => session.close()))
  }

  async #release(host: string): Promise<void> {
    await Promise.all((this.#sessions.get(host) ?? []).map((session) => session.release()))
  }

  /** Notes that other hosts use the session of a host. As many of these stay open as there are forks. */
  #helps(host: string): void {
    if (this.#busy.has(host)) return
    const isOwn = this.#own.has(host) && this.#own.size <= this.#forks
    if (isOwn) return
    this.#helpers.delete(host)
    this.#helpers.add(host)
    const [oldest] = this.#helpers
    if (this.#helpers.size <= this.#forks || oldest === undefined) return
    this.#helpers.delete(oldest)
    void this.#release(oldest)
  }

  get #lockWait() {
    return { wait: this.#wait.ms, emit: this.#emit, stop: this.#wait.stop }
  }

  #connectOnce(host: Host, options: ConnectOptions): Promise<HostRun | undefined> {
    const known = this.#connections.get(host.name)
    if (known && (known.lock || !options.lock)) return known.hostRun
    const hostRun = this.#connect(host, options)
    this.#connections.set(host.name, { lock: options.lock, hostRun })
    return hostRun
  }

  async #connect(host: Host, { lock, asks }: ConnectOptions): Promise<HostRun | undefined> {
    const stop = this.#stop
    const givenUp = new AbortController()
    const giveUp = () => givenUp.abort()
    stop?.addEventListener('abort', giveUp)
    try {
      if (stop?.aborted) return this.#skip(asks)
      const first = readAll(asks.map(({ question }) => catchFailures(question.read)))
      const attempt = () => this.#login(host, { lock, first, stop: givenUp.signal })
      const login = await waitForLock(attempt, { host: host.name, ...this.#lockWait })
      const { unfinished } = login.hostRun
      const recovers = lock && unfinished.length > 0
      if (!lock) reportTransactions(login.hostRun, this.#emit)
      // A recovery changes the host, so it is not given up.
      if (recovers) stop?.removeEventListener('abort', giveUp)
      const { hostRun, answers } = recovers ? await this.#recover(login, first) : login
      for (const [i, one] of asks.entries()) this.answers.set(one, answers[i])
      this.#connected.set(host.name, hostRun)
      return hostRun
    } catch (error) {
      const isGivenUp = stop?.aborted || (error instanceof HostLocked && this.#wait.stop?.aborted)
      this.#skip(asks)
      if (!isGivenUp) this.markUnreachable(host.name, toProblem(error, host.name))
      return undefined
    }
  }

  /** Opens a session and makes the first round trip, which fails if the host is locked. */
  async #login(host: Host, { lock, first, stop }: LoginOptions): Promise<Login> {
    const began = performance.now()
    const opened = await this.#open(host, { lock, stop })
    const lasting = new ReconnectingSession(host.name, opened, () => this.#open(host, { lock }))
    this.#sessions.set(host.name, [...(this.#sessions.get(host.name) ?? []), lasting])
    const ms = performance.now() - began
    if (!this.#reported.has(host.name)) this.#emit({ kind: 'connected', host: host.name, ms })
    this.#reported.add(host.name)
    const confirming = confirmingSession(lasting, () => this.#open(host, { lock: false }))
    const limits = { host: host.name, limits: this.#readLimits(host), emit: this.#emit }
    const session = delegatingSession(host.name, limitedSession(confirming, limits), (other, scripts) =>
      this.#sessionOf(other, scripts),
    )
    try {
      const [hostRun, answers] = await HostRun.connect(host, session, first)
      return { hostRun, answers }
    } catch (error) {
      // The next attempt opens another session.
      if (error instanceof HostLocked) void lasting.close()
      throw error
    }
  }

  /** Rolls back what an earlier run has left unfinished, then reads the host again. */
  async #recover({ hostRun: before }: Login, first: Read<readonly unknown[]>): Promise<Login> {
    const problem = await recoverTransactions(before, this.#emit)
    const [hostRun, answers] = await HostRun.connect(before.host, before.session, first)
    if (problem) {
      hostRun.fail(problem)
      this.#emit({ kind: 'failed', play: '', host: hostRun.name, problem })
    }
    return { hostRun, answers }
  }

  /** Returns the session for a delegated step. Questions alone need no lock. */
  async #sessionOf(host: Host, scripts: readonly HostScript[]): Promise<Session | undefined> {
    const changes = scripts.some(({ mayFail }) => !mayFail)
    const hostRun = this.#own.has(host.name)
      ? await this.connect(host)
      : await this.#connectOnce(host, { lock: changes, asks: [] })
    this.#helps(host.name)
    if (changes) hostRun?.startChange()
    return this.unreachable.has(host.name) ? undefined : hostRun?.session
  }

  async #askOne(asks: readonly Ask[]): Promise<void> {
    const host = asks[0]?.host
    if (!host) return
    const isOwn = this.#own.has(host.name)
    const hostRun = isOwn ? await this.connect(host) : await this.#connectOnce(host, { lock: false, asks })
    const left = asks.filter((one) => !this.answers.has(one))
    if (left.length === 0) return
    try {
      const reads = readAll(left.map(({ question }) => catchFailures(question.read)))
      const answers = hostRun ? await readHost(hostRun.session, reads) : []
      for (const [i, one] of left.entries()) this.answers.set(one, answers[i])
      this.#helps(host.name)
    } catch (error) {
      this.#skip(left)
      if (!this.#stop?.aborted) this.markUnreachable(host.name, toProblem(error, host.name))
    }
  }

  #skip(asks: readonly Ask[]): undefined {
    for (const one of asks) this.answers.set(one, undefined)
  }

  #readLimits({ timeouts }: Host): ReadLimits {
    const limit = timeouts?.read === undefined ? this.#reads.limit : milliseconds(timeouts.read)
    return { ...this.#reads, limit }
  }
}

interface LoginOptions {
  readonly lock: boolean
  readonly first: Read<readonly unknown[]>
  readonly stop: AbortSignal
}

interface Login {
  readonly hostRun: HostRun
  readonly answers: readonly unknown[]
}
