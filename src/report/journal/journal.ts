import type { Diff } from '../../model/difference.ts'
import type { EventOf, RunEvent, StepInfo } from '../../model/event.ts'
import type { Problem } from '../../model/problem.ts'
import { Secret } from '../../shell/secret.ts'
import { formatSource } from '../source-location.ts'
import { unifiedDiffs } from '../text-diff.ts'
import type { JournalDiff, JournalEvent, JournalHeader, JournalProblem, JournalStep } from './format.ts'

/**
 * Writes down a run, a JSON object a line, with secrets masked. Steps that are as wanted, which are most of them, share a line, and what
 * many lines name is written once: a journal of 500 hosts with 100 steps each takes about a megabyte, and no time.
 *
 * @param write takes lines without their ends
 */
export function journalWriter(
  about: JournalHeader,
  write: (line: string) => void,
): (event: RunEvent) => void {
  const began = performance.now()
  const put = (line: object) => write(JSON.stringify(line, masked))
  const at = () => Math.round(performance.now() - began)
  const tell = (told: JournalEvent, t = at()) => put({ t, ...told })
  const step = numbering((info: StepInfo, id) =>
    put({ t: at(), kind: 'a step', id, step: journalStep(info) }),
  )
  const doors = numbering((admits: object, id) => put({ t: at(), kind: 'doors', id, admits }))
  let well:
    | { readonly t: number; readonly play: string; readonly host: string; readonly steps: number[] }
    | undefined
  const flush = () => {
    if (!well) return
    const { t, ...rest } = well
    tell({ kind: 'as wanted', ...rest }, t)
    well = undefined
  }
  put(about)
  return (event) => {
    if (event.kind === 'progress') return
    if (event.kind === 'step' && (event.outcome === 'ok' || event.outcome === 'open')) {
      if (well?.play !== event.play || well.host !== event.host) flush()
      well ??= { t: at(), play: event.play, host: event.host, steps: [] }
      well.steps.push(step(keyOf(event.step), event.step))
      return
    }
    flush()
    if (event.kind === 'step') tell(stepLine(event, step(keyOf(event.step), event.step)))
    else if (event.kind === 'applying')
      tell({ ...event, steps: event.steps.map((one) => step(keyOf(one), one)) })
    else if (event.kind === 'surveyed') {
      const { admits, ...rest } = event
      tell({ ...rest, ...(admits && { admits: doors(JSON.stringify(admits), admits) }) })
    } else if ('problem' in event && event.problem) {
      // The kind says what else there is; all but the problem is written as it is.
      tell({ ...event, problem: journalProblem(event.problem) } as JournalEvent)
    } else tell(event as JournalEvent)
  }
}

/** Gives each thing a number by its key, and tells of it when it is new. */
function numbering<T>(define: (thing: T, id: number) => void): (key: string, thing: T) => number {
  const ids = new Map<string, number>()
  return (key, thing) => {
    const known = ids.get(key)
    if (known !== undefined) return known
    const id = ids.size
    ids.set(key, id)
    define(thing, id)
    return id
  }
}

function keyOf({ kind, name, roles, source }: StepInfo): string {
  return `${kind}\n${name}\n${roles.join('\n')}\n${source?.file}:${source?.line}:${source?.column}`
}

function journalStep({ source, ...rest }: StepInfo): JournalStep {
  return { ...rest, ...(source && { source: formatSource(source) }) }
}

function stepLine(event: EventOf<'step'>, step: number): JournalEvent {
  const { play, host, outcome } = event
  const line = { kind: 'step', play, host, step } as const
  if (outcome === 'failed') return { ...line, outcome, problem: journalProblem(event.problem) }
  if (outcome === 'ok' || outcome === 'open') throw new TypeError('what is as wanted has no line of its own')
  return {
    ...line,
    outcome,
    ...(outcome === 'planned' && { sure: event.sure }),
    difference: journalDiff(event.difference),
    ...(event.before && { diffs: unifiedDiffs(event.difference, event.before) }),
  }
}

function journalDiff({ action, fields, parts }: Diff): JournalDiff {
  return {
    action,
    fields,
    ...(parts && {
      parts: parts.map(({ name, difference }) => ({ name, difference: journalDiff(difference) })),
    }),
  }
}

function journalProblem({ message, where, details, next }: Problem): JournalProblem {
  return {
    message,
    ...(where !== undefined && { where: formatSource(where) }),
    details,
    ...(next !== undefined && { next }),
  }
}

function masked(_key: string, value: unknown): unknown {
  return typeof value === 'string' ? Secret.redact(value) : value
}
