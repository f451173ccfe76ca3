import type { Admission } from '../../model/admission.ts'
import type { HostSummary, Mode, Summary } from '../../model/event.ts'
import { stepTitle } from '../describe.ts'
import { type Topology, topologyOf } from '../graph/topology.ts'
import {
  type JournalEvent,
  type JournalHeader,
  type JournalLine,
  type JournalProblem,
  type JournalStep,
  parseJournal,
  type StepLine,
} from './format.ts'

/** A run as a reader wants it: by host. Times are in milliseconds since its beginning. */
export interface RunTimeline {
  readonly about: JournalHeader
  readonly mode: Mode
  /** Undefined when the run did not come to its end. */
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

/** The worst that can be said of a host. */
export type Outcome = 'unreachable' | 'failed' | 'skipped' | 'changed' | 'well'

/** What a host was busy with for a while. */
export interface Span {
  readonly kind: 'login' | 'look' | 'work' | 'wait' | 'broken'
  readonly from: number
  readonly to: number
  readonly what: string
}

/** Something to tell of a host, in its order. */
export interface Entry {
  readonly t: number
  readonly play: string
  readonly kind: 'step' | 'note' | 'as wanted'
  readonly sign: '✓' | '~' | '?' | '✗' | '·' | '='
  readonly title: string
  readonly step?: JournalStep
  readonly line?: StepLine
  readonly problem?: JournalProblem
  /** The steps that are as wanted. */
  readonly steps?: readonly JournalStep[]
}

/** @throws SyntaxError for what is no journal */
export function timelineOf(journal: string): RunTimeline {
  const { about, lines } = parseJournal(journal)
  return new RunTimelineBuilder(about, lines).story()
}

class RunTimelineBuilder {
  readonly #about: JournalHeader
  readonly #lines: readonly JournalLine[]
  readonly #steps = new Map<number, JournalStep>()
  readonly #doors = new Map<number, readonly Admission[]>()
  readonly #admits = new Map<string, readonly Admission[]>()
  readonly #hosts = new Map<string, HostTimelineBuilder>()
  #mode: Mode = 'apply'
  #plays: readonly string[] = []
  #summary: Summary | undefined

  constructor(about: JournalHeader, lines: readonly JournalLine[]) {
    this.#about = about
    this.#lines = lines
    for (const line of lines) {
      if (line.kind === 'a step') this.#steps.set(line.id, line.step)
      else if (line.kind === 'doors') this.#doors.set(line.id, line.admits)
      else this.#tell(line.t, line)
    }
  }

  story(): RunTimeline {
    const ms = this.#summary?.ms ?? this.#lines.at(-1)?.t ?? 0
    const summaries = new Map(this.#summary?.hosts.map((one) => [one.host, one]))
    const names = [...new Set([...this.#hosts.keys(), ...summaries.keys()])]
    const known = new Map(this.#about.hosts.map((host) => [host.name, host]))
    return {
      about: this.#about,
      mode: this.#mode,
      summary: this.#summary,
      ms,
      plays: this.#plays,
      hosts: names.map((name) =>
        this.#diary(name).story(known.get(name)?.group ?? 'other', summaries.get(name), ms),
      ),
      topology: topologyOf(
        this.#about.hosts.map((host) => ({ ...host, admits: this.#admits.get(host.name) })),
      ),
    }
  }

  #diary(name: string): HostTimelineBuilder {
    const diary = this.#hosts.get(name) ?? new HostTimelineBuilder(name)
    this.#hosts.set(name, diary)
    return diary
  }

  #tell(t: number, told: JournalEvent): void {
    if (told.kind === 'begin') {
      this.#mode = told.mode
      this.#plays = told.plays
      for (const name of told.hosts) this.#diary(name)
    } else if (told.kind === 'end') this.#summary = told.summary
    else if (told.kind === 'skipped')
      for (const host of told.hosts)
        this.#diary(host).note(t, told.play, '·', `left out of ${told.play}, since ${told.why}`, true)
    else if (told.kind !== 'play') {
      if (told.kind === 'surveyed' && told.admits !== undefined)
        this.#admits.set(told.host, this.#doors.get(told.admits) ?? [])
      this.#diary(told.host).tell(t, told, (id) => this.#steps.get(id) ?? UNKNOWN)
    }
  }
}

const UNKNOWN: JournalStep = { kind: 'step', name: 'unknown', roles: [] }

type OfHost = Extract<JournalEvent, { readonly host: string }>

/** What one host has to tell. */
class HostTimelineBuilder {
  readonly #name: string
  readonly #spans: Span[] = []
  readonly #entries: Entry[] = []
  readonly #problems: { readonly play: string; readonly problem: JournalProblem }[] = []
  #open: Omit<Span, 'to'> | undefined
  #last = 0
  #unreachable = false
  #skipped = false

  constructor(name: string) {
    this.#name = name
  }

  tell(t: number, told: OfHost, stepOf: (id: number) => JournalStep): void {
    const broken =
      told.kind === 'failed' ||
      told.kind === 'unreachable' ||
      (told.kind === 'step' && told.outcome === 'failed')
    this.#close(t, broken)
    if (told.kind === 'connected')
      this.#spans.push({ kind: 'login', from: Math.max(0, t - told.ms), to: t, what: 'login' })
    else if (told.kind === 'surveyed')
      this.#spans.push({
        kind: 'look',
        from: this.#last,
        to: t,
        what: `${told.steps} steps read, ${told.differing} differ`,
      })
    else if (told.kind === 'applying')
      this.#open = { kind: 'work', from: t, what: told.steps.map((id) => stepTitle(stepOf(id))).join(', ') }
    else if (told.kind === 'waiting') {
      this.#open = { kind: 'wait', from: t, what: `waiting for ${told.for}` }
      this.note(t, told.play, '·', `waiting for ${told.for}`)
    } else if (told.kind === 'as wanted')
      this.#entries.push({
        t,
        play: told.play,
        kind: 'as wanted',
        sign: '=',
        title: '',
        steps: told.steps.map(stepOf),
      })
    else if (told.kind === 'step') {
      const step = stepOf(told.step)
      this.#entries.push({
        ...{ t, play: told.play, kind: 'step', title: stepTitle(step), step, line: told },
        sign: told.outcome === 'failed' ? '✗' : told.outcome === 'changed' ? '✓' : told.sure ? '~' : '?',
        ...(told.problem && { problem: told.problem }),
      })
    } else if (told.kind === 'handler') this.#handler(t, told)
    else if (told.kind === 'bracket') {
      const words = told.outcome === 'left' ? `no longer ${told.label}` : told.label
      this.note(t, told.play, '·', `${words}${told.owed ? ' (since an earlier run)' : ''}`)
      if (told.problem) this.#problem(told.play, told.problem)
    } else if (told.kind === 'recovered')
      this.note(t, '', '·', `${told.label}: an earlier run was cut off in it (${told.outcome})`)
    else if (told.kind === 'failed') this.#problem(told.play, told.problem)
    else if (told.kind === 'unreachable') {
      this.#unreachable = true
      this.#problem('', told.problem)
    }
    this.#last = t
  }

  note(t: number, play: string, sign: Entry['sign'], title: string, skipped = false): void {
    this.#skipped ||= skipped
    this.#entries.push({ t, play, kind: 'note', sign, title })
  }

  story(group: string, summary: HostSummary | undefined, ms: number): HostTimeline {
    this.#close(ms, false)
    return {
      ...{ name: this.#name, group, summary, outcome: this.#outcome() },
      ...{ spans: this.#spans, entries: this.#entries, problems: this.#problems },
    }
  }

  #handler(t: number, { play, name, outcome, owed, problem }: Extract<OfHost, { kind: 'handler' }>): void {
    const sign = outcome === 'failed' ? '✗' : outcome === 'planned' ? '~' : '✓'
    if (outcome !== 'planned')
      this.#spans.push({
        kind: outcome === 'failed' ? 'broken' : 'work',
        from: this.#last,
        to: t,
        what: name,
      })
    this.#entries.push({
      ...{ t, play, kind: 'note', sign, title: `${name}${owed ? ' (owed since an earlier run)' : ''}` },
      ...(problem && { problem }),
    })
  }

  #problem(play: string, problem: JournalProblem): void {
    // One that a step has told already is the same.
    if (!this.#problems.some((one) => one.problem.message === problem.message))
      this.#problems.push({ play, problem })
  }

  #close(t: number, broken: boolean): void {
    // The steps of a trip are told together at its end, and one of them may be what broke it.
    const span = this.#open ? { ...this.#open, to: t } : broken ? this.#lastWork() : undefined
    this.#open = undefined
    if (span) this.#spans.push(broken ? { ...span, kind: 'broken' } : span)
  }

  #lastWork(): Span | undefined {
    return this.#spans.at(-1)?.kind === 'work' ? this.#spans.pop() : undefined
  }

  #outcome(): Outcome {
    if (this.#unreachable) return 'unreachable'
    if (this.#problems.length > 0 || this.#entries.some(({ sign }) => sign === '✗')) return 'failed'
    if (this.#skipped) return 'skipped'
    return this.#entries.some(({ sign }) => '✓~?'.includes(sign)) ? 'changed' : 'well'
  }
}
