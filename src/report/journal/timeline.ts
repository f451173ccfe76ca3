import type { HostSummary, Mode, Summary } from '../../model/event.ts'
import type { IngressRule } from '../../model/resource/step.ts'
import { drainTitle, stepTitle } from '../format.ts'
import { type Topology, topologyOf } from '../graph/topology.ts'
import {
  type JournalEvent,
  type JournalHeader,
  type JournalProblem,
  type JournalStep,
  parseJournal,
  type StepLine,
} from './format.ts'

/** A run by host. Times are in milliseconds since its start. */
export interface RunTimeline {
  readonly about: JournalHeader
  readonly mode: Mode
  /** Undefined for a run that was killed. */
  readonly summary: Summary | undefined
  readonly ms: number
  readonly plays: readonly string[]
  readonly hosts: readonly HostTimeline[]
  readonly topology: Topology
}

export interface HostTimeline {
  readonly name: string
  readonly group: string
  readonly outcome: Outcome
  readonly summary: HostSummary | undefined
  readonly spans: readonly Span[]
  readonly entries: readonly Entry[]
  readonly problems: readonly { readonly play: string; readonly problem: JournalProblem }[]
}

/** The worst outcome of a host. */
export type Outcome = 'unreachable' | 'failed' | 'skipped' | 'changed' | 'ok'

/** An activity of a host. */
export interface Span {
  readonly kind: 'login' | 'read' | 'apply' | 'wait' | 'failed'
  readonly from: number
  readonly to: number
  readonly what: string
}

/** An event of a host. */
export interface Entry {
  readonly t: number
  readonly play: string
  readonly kind: 'step' | 'note' | 'ok'
  readonly sign: '✓' | '~' | '?' | '✗' | '!' | '·' | '='
  readonly title: string
  readonly step?: JournalStep
  readonly line?: StepLine
  readonly problem?: JournalProblem
  /** The steps of an entry of the kind `ok`. */
  readonly steps?: readonly JournalStep[]
}

/** @throws SyntaxError for a text that is no journal */
export function timelineOf(journal: string): RunTimeline {
  const { about, lines } = parseJournal(journal)
  const run = new RunTimelineBuilder(about)
  for (const { t, ...line } of lines) {
    if (line.kind === 'define step') run.steps.set(line.id, line.step)
    else if (line.kind === 'define ingress') run.ingress.set(line.id, line.ingress)
    else run.add(t, line)
  }
  return run.build(lines.at(-1)?.t ?? 0)
}

class RunTimelineBuilder {
  readonly steps = new Map<number, JournalStep>()
  readonly ingress = new Map<number, readonly IngressRule[]>()
  readonly #about: JournalHeader
  readonly #ingressOf = new Map<string, readonly IngressRule[]>()
  readonly #hosts = new Map<string, HostTimelineBuilder>()
  #mode: Mode = 'apply'
  #plays: readonly string[] = []
  #summary: Summary | undefined

  constructor(about: JournalHeader) {
    this.#about = about
  }

  add(t: number, event: JournalEvent): void {
    if (event.kind === 'begin') {
      this.#mode = event.mode
      this.#plays = event.plays
      for (const name of event.hosts) this.#host(name)
    } else if (event.kind === 'end') this.#summary = event.summary
    else if (event.kind === 'skipped') for (const host of event.hosts) this.#host(host).skip(t, event.play, event.why)
    else if (event.kind !== 'play') {
      if (event.kind === 'refreshed' && event.ingress !== undefined)
        this.#ingressOf.set(event.host, this.ingress.get(event.ingress) ?? [])
      this.#host(event.host).add(t, event, (id) => this.steps.get(id) ?? UNKNOWN)
    }
  }

  /** @param last the time of the last line */
  build(last: number): RunTimeline {
    const ms = this.#summary?.ms ?? last
    const summaries = new Map(this.#summary?.hosts.map((one) => [one.host, one]))
    const names = [...new Set([...this.#hosts.keys(), ...summaries.keys()])]
    const { hosts } = this.#about
    const groups = new Map(hosts.map(({ name, group }) => [name, group]))
    return {
      about: this.#about,
      mode: this.#mode,
      summary: this.#summary,
      ms,
      plays: this.#plays,
      hosts: names.map((name) => this.#host(name).build(groups.get(name) ?? 'other', summaries.get(name), ms)),
      topology: topologyOf(hosts.map((host) => ({ ...host, admits: this.#ingressOf.get(host.name) }))),
    }
  }

  #host(name: string): HostTimelineBuilder {
    const host = this.#hosts.get(name) ?? new HostTimelineBuilder(name)
    this.#hosts.set(name, host)
    return host
  }
}

const UNKNOWN: JournalStep = { kind: 'step', name: 'unknown', roles: [] }

type HostEvent = Extract<JournalEvent, { readonly host: string }>

class HostTimelineBuilder {
  readonly #name: string
  readonly #spans: Span[] = []
  readonly #entries: Entry[] = []
  readonly #problems: { readonly play: string; readonly problem: JournalProblem }[] = []
  #current: Omit<Span, 'to'> | undefined
  #last = 0
  #unreachable = false
  #skipped = false

  constructor(name: string) {
    this.#name = name
  }

  add(t: number, event: HostEvent, stepOf: (id: number) => JournalStep): void {
    this.#endSpan(t, isFailure(event))
    if (event.kind === 'connected')
      this.#spans.push({ kind: 'login', from: Math.max(0, t - event.ms), to: t, what: 'login' })
    else if (event.kind === 'refreshed') {
      const what = `${event.steps} steps read, ${event.differing} differ`
      this.#spans.push({ kind: 'read', from: this.#last, to: t, what })
    } else if (event.kind === 'applying') {
      const what = event.steps.map((id) => stepTitle(stepOf(id))).join(', ')
      this.#current = { kind: 'apply', from: t, what }
    } else if (event.kind === 'waiting') {
      const what = `waiting for ${event.for}`
      this.#current = { kind: 'wait', from: t, what }
      this.#note(t, event.play, what)
    } else if (event.kind === 'ok') {
      const steps = event.steps.map(stepOf)
      this.#entries.push({ t, play: event.play, kind: 'ok', sign: '=', title: '', steps })
    } else if (event.kind === 'step') this.#step(t, event, stepOf(event.step))
    else if (event.kind === 'handler') this.#handler(t, event)
    else if (event.kind === 'drain') {
      this.#note(t, event.play, `${drainTitle(event.label, event.outcome)}${sinceEarlier(event.pending)}`)
      if (event.problem) this.#problem(event.play, event.problem)
    } else if (event.kind === 'recovered')
      this.#note(t, '', `${event.label}: interrupted in an earlier run (${event.outcome})`)
    else if (event.kind === 'policy') {
      const { policy, outcome, changes, reason, until, problem } = event
      const how = outcome === 'waived' ? `waived until ${until} (${reason})` : outcome
      this.#note(t, '', `${policy}: ${how}: ${changes.join(', ')}`)
      if (problem) this.#problem('', problem)
    } else if (event.kind === 'failed') this.#problem(event.play, event.problem)
    else if (event.kind === 'unreachable') {
      this.#unreachable = true
      this.#problem('', event.problem)
    }
    this.#last = t
  }

  skip(t: number, play: string, why: string): void {
    this.#skipped = true
    this.#note(t, play, `skipped: ${why}`)
  }

  build(group: string, summary: HostSummary | undefined, ms: number): HostTimeline {
    this.#endSpan(ms, false)
    return {
      ...{ name: this.#name, group, summary, outcome: this.#outcome() },
      ...{ spans: this.#spans, entries: this.#entries, problems: this.#problems },
    }
  }

  #note(t: number, play: string, title: string): void {
    this.#entries.push({ t, play, kind: 'note', sign: '·', title })
  }

  #step(t: number, line: StepLine, step: JournalStep): void {
    const { play, outcome, problem } = line
    this.#entries.push({
      ...{ t, play, kind: 'step', title: stepTitle(step), step, line },
      sign: SIGNS[outcome] ?? (line.known ? '~' : '?'),
      ...(problem && { problem }),
    })
  }

  #handler(t: number, event: Extract<HostEvent, { kind: 'handler' }>): void {
    const { play, name, outcome, pending, problem } = event
    const sign = outcome === 'failed' ? '✗' : outcome === 'planned' ? '~' : '✓'
    if (outcome !== 'planned') {
      const kind = outcome === 'failed' ? 'failed' : 'apply'
      this.#spans.push({ kind, from: this.#last, to: t, what: name })
    }
    this.#entries.push({
      ...{ t, play, kind: 'note', sign, title: `${name}${sinceEarlier(pending)}` },
      ...(problem && { problem }),
    })
  }

  /** A failed step and the failed host report the same problem. */
  #problem(play: string, problem: JournalProblem): void {
    if (!this.#problems.some((one) => one.problem.message === problem.message)) this.#problems.push({ play, problem })
  }

  #endSpan(t: number, failed: boolean): void {
    // The steps of a round trip are reported after its end, and one of them may be the failed one.
    const span = this.#current ? { ...this.#current, to: t } : failed ? this.#lastApply() : undefined
    this.#current = undefined
    if (span) this.#spans.push(failed ? { ...span, kind: 'failed' } : span)
  }

  #lastApply(): Span | undefined {
    return this.#spans.at(-1)?.kind === 'apply' ? this.#spans.pop() : undefined
  }

  #outcome(): Outcome {
    if (this.#unreachable) return 'unreachable'
    if (this.#problems.length > 0 || this.#entries.some(({ sign }) => sign === '✗')) return 'failed'
    if (this.#skipped) return 'skipped'
    return this.#entries.some(({ sign }) => '✓~?!'.includes(sign)) ? 'changed' : 'ok'
  }
}

const SIGNS: Readonly<Partial<Record<StepLine['outcome'], Entry['sign']>>> = { failed: '✗', allowed: '!', changed: '✓' }

function isFailure(event: HostEvent): boolean {
  return (
    event.kind === 'failed' || event.kind === 'unreachable' || (event.kind === 'step' && event.outcome === 'failed')
  )
}

function sinceEarlier(pending: boolean): string {
  return pending ? ' (pending since an earlier run)' : ''
}
