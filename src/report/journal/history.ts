import type { Mode, Summary } from '../../model/event.ts'
import {
  type JournalDiff,
  type JournalEvent,
  type JournalHeader,
  type JournalProblem,
  type JournalStep,
  parseJournal,
} from './format.ts'

/** A recorded run, step by step. */
export interface RecordedRun {
  readonly about: Pick<JournalHeader, 'id' | 'at' | 'command'>
  readonly mode: Mode
  /** The end of the run in milliseconds since 1970, or of its record if it was killed. */
  readonly ended: number
  /** Undefined for a run that was killed. */
  readonly summary: Summary | undefined
  readonly steps: readonly RecordedStep[]
}

/** A step of a recorded run on a host. */
export interface RecordedStep {
  readonly host: string
  readonly play: string
  readonly step: JournalStep
  /** `unfinished`: it was being applied when the run was killed or lost the host. */
  readonly outcome: 'ok' | 'planned' | 'changed' | 'failed' | 'unfinished'
  readonly difference?: JournalDiff
  readonly problem?: JournalProblem
  /** In milliseconds since 1970. */
  readonly at: number
}

/** Identifies a step of a host in several runs. Its roles and its place may change. */
export function stepKey(host: string, { kind, name }: Pick<JournalStep, 'kind' | 'name'>): string {
  return JSON.stringify([host, kind, name])
}

/** @throws SyntaxError for a text that is no journal */
export function recordedRun(journal: string): RecordedRun {
  const { about, lines } = parseJournal(journal)
  const began = Date.parse(about.at)
  const known = new Map<number, JournalStep>()
  const applying = new Map<string, RecordedStep>()
  const steps: RecordedStep[] = []
  let mode: Mode = 'apply'
  let summary: Summary | undefined
  const add = (one: RecordedStep) => {
    applying.delete(stepKey(one.host, one.step))
    steps.push(one)
    if (one.outcome !== 'failed') return
    // The steps that were sent with it were not applied.
    for (const [key, { host }] of applying) if (host === one.host) applying.delete(key)
  }
  for (const { t, ...line } of lines) {
    if (line.kind === 'define step') known.set(line.id, line.step)
    else if (line.kind === 'begin') mode = line.mode
    else if (line.kind === 'end') summary = line.summary
    else if (line.kind !== 'define ingress')
      for (const one of stepsOf(line, known, began + t))
        if (one.outcome === 'unfinished') applying.set(stepKey(one.host, one.step), one)
        else add(one)
  }
  return {
    about,
    mode,
    ended: began + (summary?.ms ?? lines.at(-1)?.t ?? 0),
    summary,
    steps: [...steps, ...applying.values()],
  }
}

function stepsOf(line: JournalEvent, known: ReadonlyMap<number, JournalStep>, at: number): readonly RecordedStep[] {
  if (line.kind !== 'ok' && line.kind !== 'applying' && line.kind !== 'step') return []
  const { play, host } = line
  if (line.kind === 'step') {
    const step = known.get(line.step)
    const { difference, problem } = line
    const outcome = line.outcome === 'allowed' ? 'failed' : line.outcome
    if (!step) return []
    return [{ host, play, step, outcome, at, ...(difference && { difference }), ...(problem && { problem }) }]
  }
  const outcome = line.kind === 'ok' ? 'ok' : 'unfinished'
  return line.steps.flatMap((id) => {
    const step = known.get(id)
    return step ? [{ host, play, step, outcome, at }] : []
  })
}

/** The records of one step. */
export interface StepHistory {
  /** The last run that changed it, failed to, or ended meanwhile; undefined if none of the recorded runs did. */
  readonly changed?: { readonly run: RecordedRun; readonly step: RecordedStep }
  /** The last run that found it in the declared state or brought it there. */
  readonly ok?: { readonly run: RecordedRun; readonly step: RecordedStep }
}

/** @param runs the latest first */
export function historyOf(
  runs: readonly RecordedRun[],
  matches: (host: string, step: JournalStep) => boolean,
): StepHistory {
  let changed: StepHistory['changed']
  let ok: StepHistory['ok']
  for (const run of runs) {
    if (run.mode !== 'apply') continue
    for (const step of run.steps.toReversed()) {
      if (!matches(step.host, step.step)) continue
      if (step.outcome === 'changed' || step.outcome === 'failed' || step.outcome === 'unfinished')
        changed ??= { run, step }
      if (step.outcome === 'changed' || step.outcome === 'ok') ok ??= { run, step }
    }
    if (changed && ok) break
  }
  return { ...(changed && { changed }), ...(ok && { ok }) }
}
