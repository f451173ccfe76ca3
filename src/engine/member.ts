import type { Facts } from '../model/facts.ts'
import { facts } from '../model/facts.ts'
import type { Host } from '../model/host.ts'
import type { Problem } from '../model/problem.ts'
import { type Read, together } from '../model/read.ts'
import type { Session } from '../transport/session.ts'
import { askHost } from './batch.ts'
import { owed } from './owed.ts'

/** A host that takes part in a run: its session, what is known of it, and how it fares. */
export class Member {
  readonly host: Host
  readonly session: Session
  readonly facts: Facts
  /** Names of the handlers that were notified here, in this run or an earlier one, and have not run. */
  readonly owed: Set<string>
  /** Grows with each change that this run makes here; what was read at another version is stale. */
  version = 0
  /** What went wrong here; no further play is begun on it. */
  problem: Problem | undefined
  ok = 0
  changed = 0
  /** Of the steps that a plan would change, those that a run decides anew. */
  open = 0
  skipped = 0

  private constructor(
    host: Host,
    session: Session,
    known: { readonly facts: Facts; readonly owed: readonly string[] },
  ) {
    this.host = host
    this.session = session
    this.facts = known.facts
    this.owed = new Set(known.owed)
  }

  /** One round trip: the facts, what is owed, and what the playbook asks first. */
  static async meet<T>(host: Host, session: Session, first: Read<T>): Promise<readonly [Member, T]> {
    const [[known, left], answers] = await askHost(session, together(together(facts, owed), first))
    return [new Member(host, session, { facts: known, owed: left }), answers]
  }

  get name(): string {
    return this.host.name
  }
}
