import { type OpenDrain, openDrains, pendingHandlers } from '../../model/host-state.ts'
import type { Host } from '../../model/inventory/host.ts'
import type { Problem } from '../../model/problem.ts'
import { type Facts, facts } from '../../model/resource/facts.ts'
import { type Read, readBoth } from '../../model/resource/read.ts'
import { type UnfinishedTransaction, unfinishedTransactions } from '../../resources/transaction/rollback.ts'
import type { Session } from '../../transport/session/session.ts'
import { readHost } from './batch.ts'

/** A host that takes part in a run: its session, what is known of it, and how it fares. */
export class HostRun {
  readonly host: Host
  readonly session: Session
  readonly facts: Facts
  /** Names of the handlers that were notified here, in this run or an earlier one, and have not run. */
  readonly owed: Set<string>
  /** Brackets around other hosts that are open here, in this run or since an earlier one. */
  readonly undos: Map<string, OpenDrain>
  /** Transactions that an earlier run has left cut off. */
  readonly unfinished: readonly UnfinishedTransaction[]
  /** Grows with each change that this run makes here; what was read at another version is stale. */
  version = 0
  /** What went wrong here; no further play is begun on it. */
  problem: Problem | undefined
  ok = 0
  changed = 0
  /** Of the steps that a plan would change, those that a run decides anew. */
  open = 0
  /** Of the steps that are already in place, those that a run reads again. */
  recheck = 0
  skipped = 0
  /** Others had failed before it was begun in some play; no further play is begun on it. */
  leftAlone = false
  /** What it is instead of taking part, such as `in maintenance`: its own steps have said to leave it alone. */
  away: string | undefined

  private constructor(host: Host, session: Session, known: Known) {
    this.host = host
    this.session = session
    this.facts = known.facts
    this.owed = new Set(known.owed)
    this.unfinished = known.unfinished
    this.undos = new Map(known.undos.map((one) => [`${one.host}: ${one.label}`, one]))
  }

  /** One round trip: the facts, what earlier runs have left, and what the playbook asks first. */
  static async connect<T>(host: Host, session: Session, first: Read<T>): Promise<readonly [HostRun, T]> {
    const [[known, [left, [open, cut]]], answers] = await readHost(
      session,
      readBoth(
        readBoth(facts, readBoth(pendingHandlers, readBoth(openDrains, unfinishedTransactions))),
        first,
      ),
    )
    return [new HostRun(host, session, { facts: known, owed: left, undos: open, unfinished: cut }), answers]
  }

  get name(): string {
    return this.host.name
  }
}

interface Known {
  readonly facts: Facts
  readonly owed: readonly string[]
  readonly undos: readonly OpenDrain[]
  readonly unfinished: readonly UnfinishedTransaction[]
}
