import { type OpenDrain, openDrains, pendingHandlers } from '../../model/host-state.ts'
import type { Host } from '../../model/inventory/host.ts'
import type { Problem } from '../../model/problem.ts'
import type { Facts } from '../../model/resource/facts.ts'
import type { Handler } from '../../model/resource/handler.ts'
import { mapRead, type Read, readBoth } from '../../model/resource/read.ts'
import { readFacts } from '../../model/resource/read-facts.ts'
import { type UnfinishedTransaction, unfinishedTransactions } from '../../resources/transaction/rollback.ts'
import type { Session } from '../../transport/session/session.ts'
import { readHost } from './batch.ts'

/** A host during a run: its session, its facts, and the state of its part in the run. */
export class HostRun {
  readonly host: Host
  readonly session: Session
  #found: Found
  #pendingHandlers: Set<string>
  #openDrains: Map<string, OpenDrain>
  #version = 0
  #opening = 1
  #problem: Problem | undefined
  #excluded: string | undefined
  #isSkipped = false

  private constructor(host: Host, session: Session, found: Found) {
    this.host = host
    this.session = session
    this.#found = found
    this.#pendingHandlers = new Set(found.pendingHandlers)
    this.#openDrains = new Map(found.openDrains.map((one) => [keyOf(one), one]))
  }

  /** Reads the facts, the state that earlier runs have left, and the first questions of the playbook, in one round trip. */
  static async connect<T>(host: Host, session: Session, first: Read<T>): Promise<readonly [HostRun, T]> {
    const [found, answers] = await readHost(session, readBoth(READ, first))
    return [new HostRun(host, session, found), answers]
  }

  /** Reads the host again after its session was released: another run may have been there. States that were read before are stale. */
  async reopen(): Promise<void> {
    const { facts } = this.#found
    // The facts stay those of the start of the run: by its boot id a host is known to have rebooted since.
    this.#found = { ...(await readHost(this.session, READ)), facts }
    this.#pendingHandlers = new Set(this.#found.pendingHandlers)
    this.#openDrains = new Map(this.#found.openDrains.map((one) => [keyOf(one), one]))
    this.#opening++
  }

  get facts(): Facts {
    return this.#found.facts
  }

  /** Transactions that an earlier run has left unfinished. */
  get unfinished(): readonly UnfinishedTransaction[] {
    return this.#found.unfinished
  }

  get name(): string {
    return this.host.name
  }

  /** Grows with each change of this run; a state that was read at an earlier version is stale. */
  get version(): number {
    return this.#version
  }

  /** Grows each time its released session is opened again for a turn; a state that was read at an earlier opening is stale. */
  get opening(): number {
    return this.#opening
  }

  /** To be called before each change. */
  startChange(): void {
    this.#version++
  }

  /** The first failure on this host; later plays skip a host with one. */
  get problem(): Problem | undefined {
    return this.#problem
  }

  fail(problem: Problem): void {
    this.#problem ??= problem
  }

  /** The status of a host that its own steps exclude from the run, such as `in maintenance`. */
  get excluded(): string | undefined {
    return this.#excluded
  }

  exclude(status: string): void {
    this.#excluded = status
  }

  /** True if other hosts had failed before its turn in some play: later plays change nothing on it. */
  get isSkipped(): boolean {
    return this.#isSkipped
  }

  skip(): void {
    this.#isSkipped = true
  }

  /** The names of the handlers that were notified on this host, by this run or an earlier one, and have not run. */
  get pendingHandlers(): ReadonlySet<string> {
    return this.#pendingHandlers
  }

  handlersNotified(handlers: readonly Handler[]): void {
    for (const { name } of handlers) this.#pendingHandlers.add(name)
  }

  handlersDone(handlers: readonly Handler[]): void {
    for (const { name } of handlers) this.#pendingHandlers.delete(name)
  }

  /** The drains of other hosts that have run here, in this run or an earlier one, and were not undone. */
  get openDrains(): readonly OpenDrain[] {
    return [...this.#openDrains.values()]
  }

  drainOpened(one: OpenDrain): void {
    this.#openDrains.set(keyOf(one), one)
  }

  drainClosed(one: OpenDrain): void {
    this.#openDrains.delete(keyOf(one))
  }
}

interface Found {
  readonly facts: Facts
  readonly pendingHandlers: readonly string[]
  readonly openDrains: readonly OpenDrain[]
  readonly unfinished: readonly UnfinishedTransaction[]
}

const READ: Read<Found> = mapRead(
  readBoth(readFacts, readBoth(pendingHandlers, readBoth(openDrains, unfinishedTransactions))),
  ([facts, [handlers, [drains, unfinished]]]) => ({ facts, pendingHandlers: handlers, openDrains: drains, unfinished }),
)

function keyOf({ host, label }: OpenDrain): string {
  return `${host}: ${label}`
}
