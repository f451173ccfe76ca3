// cspell:ignore owed
import type { EventOf, RunEvent, StepInfo } from '../../model/event.ts'
import type { Diff } from '../../model/resource/diff.ts'
import type { IngressRule } from '../../model/resource/step.ts'

/** The first line of a journal. */
export interface JournalHeader {
  /** The version of the format. */
  readonly provision: 2
  readonly id: string
  /** The start of the run, in ISO 8601. */
  readonly at: string
  /** The command line of the run. */
  readonly command: string
  readonly hosts: readonly { readonly name: string; readonly group: string; readonly address: string }[]
}

export interface JournalProblem {
  readonly message: string
  readonly where?: string
  readonly details: readonly string[]
  readonly next?: string
}

export interface JournalStep extends Omit<StepInfo, 'source'> {
  readonly source?: string
}

/** A diff without texts: those are only in `diffs` of a step, if at all. */
export type JournalDiff = Pick<Diff, 'action' | 'fields'> & {
  readonly parts?: readonly { readonly name: string; readonly difference: JournalDiff }[]
}

/** A value that later lines refer to by its id. */
type Definition =
  | { readonly kind: 'define step'; readonly id: number; readonly step: JournalStep }
  | { readonly kind: 'define ingress'; readonly id: number; readonly ingress: readonly IngressRule[] }

type Turn = { readonly play: string; readonly host: string }

/** A step that changed, would change or failed. */
export interface StepLine extends Turn {
  readonly kind: 'step'
  readonly step: number
  readonly outcome: 'planned' | 'changed' | 'failed' | 'allowed'
  readonly known?: boolean
  readonly difference?: JournalDiff
  /** Unified diffs, if the run was started with `--diff`. */
  readonly diffs?: readonly string[]
  readonly problem?: JournalProblem
  /** The reason why a failure is allowed. */
  readonly reason?: string
}

type Rewritten = 'step' | 'applying' | 'progress' | 'refreshed'

/** Events that are written as they are, except for problems. */
type Unchanged = {
  readonly [K in Exclude<RunEvent['kind'], Rewritten>]: {
    readonly [P in keyof EventOf<K>]: P extends 'problem' ? JournalProblem : EventOf<K>[P]
  }
}[Exclude<RunEvent['kind'], Rewritten>]

export type JournalEvent =
  | Unchanged
  | StepLine
  | ({ readonly kind: 'applying'; readonly steps: readonly number[] } & Turn)
  | (Omit<EventOf<'refreshed'>, 'ingress'> & { readonly ingress?: number })
  /** Consecutive steps that are ok. */
  | ({ readonly kind: 'ok'; readonly steps: readonly number[] } & Turn)

/** A line after the header; `t` is in milliseconds since the start of the run. */
type JournalLine = { readonly t: number } & (Definition | JournalEvent)

/** Parses a journal; an incomplete last line is dropped. @throws SyntaxError for a text that is no journal */
export function parseJournal(text: string): { readonly about: JournalHeader; readonly lines: readonly JournalLine[] } {
  const [first = '', ...rest] = text.split('\n')
  const about = JSON.parse(first)
  if (about?.provision !== 1 && about?.provision !== 2) throw new SyntaxError('not a journal of this version')
  const lines = rest.slice(0, -1).map((line) => JSON.parse(line))
  return {
    about: { ...about, provision: 2 },
    lines: about.provision === 1 ? lines.map((line) => fromVersion1(line) as unknown as JournalLine) : lines,
  }
}

type Line = Readonly<Record<string, unknown>>

/** Converts a line of a journal of version 1, which 0.1 wrote. To be deleted after one release. */
function fromVersion1(line: Line): Line {
  const kind = String(line['kind'])
  const outcome = String(line['outcome'])
  return {
    ...renamed(line),
    kind: KINDS[kind] ?? kind,
    ...('mode' in line && { mode: modeOf(line['mode']) }),
    ...(kind === 'bracket' && { outcome: DRAIN_OUTCOMES[outcome] ?? outcome }),
    ...(kind === 'recovered' && { outcome: RECOVERIES[outcome] ?? outcome }),
    ...(kind === 'end' && { summary: summaryFrom(line['summary'] as Line) }),
  }
}

const KINDS: Readonly<Record<string, string>> = {
  'a step': 'define step',
  doors: 'define ingress',
  'as wanted': 'ok',
  surveyed: 'refreshed',
  bracket: 'drain',
  turned: 'turnEnd',
}

const DRAIN_OUTCOMES: Readonly<Record<string, EventOf<'drain'>['outcome']>> = {
  entered: 'drained',
  left: 'undrained',
  stayed: 'failed',
}

const RECOVERIES: Readonly<Record<string, EventOf<'recovered'>['outcome']>> = {
  'nothing begun': 'unchanged',
  'in force': 'restored',
  'in place': 'inactive',
}

const FIELDS: Readonly<Record<string, string>> = {
  admits: 'ingress',
  owed: 'pending',
  sure: 'known',
  open: 'tentative',
  recheck: 'deferred',
  away: 'excluded',
}

function renamed(line: Line): Line {
  return Object.fromEntries(Object.entries(line).map(([name, value]) => [FIELDS[name] ?? name, value]))
}

function summaryFrom({ mode, hosts, ...rest }: Line): Line {
  return { ...rest, mode: modeOf(mode), hosts: (hosts as readonly Line[]).map(renamed) }
}

function modeOf(mode: unknown): unknown {
  return mode === 'check' ? 'plan' : mode
}
