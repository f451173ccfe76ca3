import { Answers } from '../model/answers.ts'
import type { Ask } from '../model/ask.ts'
import type { RunEvent } from '../model/event.ts'
import type { Host } from '../model/host.ts'
import type { Problem } from '../model/problem.ts'
import { readAll } from '../model/read.ts'
import type { Script, Session } from '../transport/session.ts'
import { askHost } from './batch.ts'
import { Member } from './member.ts'
import { RoutedSession } from './routed.ts'
import { problemOf } from './turn.ts'

export type OpenSession = (host: Host, purpose: Purpose) => Promise<OpenedSession>

export interface OpenedSession {
  readonly session: Session
  /** Ends the session and all that was opened for it. Never rejects. */
  readonly close: () => Promise<void>
}

/** Whether the session may change the host, or only looks. */
export type Purpose = 'change' | 'look'

/** The hosts that a run has met, and what they have answered. */
export class Fleet {
  readonly answers = new Answers()
  /** Hosts that could not be reached, and why. */
  readonly unreachable = new Map<string, Problem>()
  readonly #members = new Map<
    string,
    { readonly purpose: Purpose; readonly meeting: Promise<Member | undefined> }
  >()
  readonly #met = new Map<string, Member>()
  readonly #sessions: OpenedSession[] = []
  readonly #open: OpenSession
  readonly #emit: (event: RunEvent) => void

  constructor(open: OpenSession, emit: (event: RunEvent) => void) {
    this.#open = open
    this.#emit = emit
  }

  /** Connects to a host once, and asks it these questions together with its facts. Undefined when it cannot be reached. */
  member(host: Host, purpose: Purpose, first: readonly Ask[] = []): Promise<Member | undefined> {
    const known = this.#members.get(host.name)
    if (known && (known.purpose === 'change' || purpose === 'look')) return known.meeting
    const meeting = this.#meet(host, purpose, first)
    this.#members.set(host.name, { purpose, meeting })
    return meeting
  }

  async #meet(host: Host, purpose: Purpose, first: readonly Ask[]): Promise<Member | undefined> {
    const began = performance.now()
    try {
      const opened = await this.#open(host, purpose)
      const { session } = opened
      this.#sessions.push(opened)
      this.#emit({ kind: 'connected', host: host.name, ms: performance.now() - began })
      const [member, answers] = await Member.meet(
        host,
        new RoutedSession(host.name, session, (other, scripts) => this.#sessionOf(other, scripts)),
        readAll(first.map(({ question }) => question.read)),
      )
      for (const [i, one] of first.entries()) this.answers.set(one, answers[i])
      this.#met.set(host.name, member)
      return member
    } catch (error) {
      for (const one of first) this.answers.set(one, undefined)
      this.lost(host.name, problemOf(error, host.name))
      return undefined
    }
  }

  /** How often this run has changed a host so far. */
  versionOf(host: string): number {
    return this.#met.get(host)?.version ?? 0
  }

  /** Of a host that steps of another's turn are for. Scripts that only ask may be for a host that is only looked at. */
  async #sessionOf(host: Host, scripts: readonly Script[]): Promise<Session | undefined> {
    const changes = scripts.some(({ mayFail }) => !mayFail)
    const member = await this.member(host, changes ? 'change' : 'look')
    if (member && changes) member.version++
    return this.unreachable.has(host.name) ? undefined : member?.session
  }

  lost(host: string, problem: Problem): void {
    if (this.unreachable.has(host)) return
    this.unreachable.set(host, problem)
    this.#emit({ kind: 'unreachable', host, problem })
  }

  /** Asks what is not answered yet, each host in one round trip. A host that is not part of the run is only looked at. */
  async inquire(asks: readonly Ask[]): Promise<void> {
    const open = asks.filter((one) => !this.answers.has(one))
    const byHost = new Map<string, Ask[]>()
    for (const one of open) byHost.set(one.host.name, [...(byHost.get(one.host.name) ?? []), one])
    await Promise.all([...byHost.values()].map((own) => this.#inquireOf(own)))
  }

  async #inquireOf(asks: readonly Ask[]): Promise<void> {
    const host = asks[0]?.host
    if (!host) return
    const member = await this.member(host, 'look', asks)
    const left = asks.filter((one) => !this.answers.has(one))
    if (left.length === 0) return
    try {
      const answers = member
        ? await askHost(member.session, readAll(left.map(({ question }) => question.read)))
        : []
      for (const [i, one] of left.entries()) this.answers.set(one, answers[i])
    } catch (error) {
      for (const one of left) this.answers.set(one, undefined)
      this.lost(host.name, problemOf(error, host.name))
    }
  }

  get traffic(): { sent: number; received: number } {
    const sum = { sent: 0, received: 0 }
    for (const { session } of this.#sessions) {
      sum.sent += session.traffic.sent
      sum.received += session.traffic.received
    }
    return sum
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#sessions.map(({ close }) => close()))
  }
}
