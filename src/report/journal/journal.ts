import type { EventOf, RunEvent, StepInfo } from '../../model/event.ts'
import type { Problem } from '../../model/problem.ts'
import type { Diff } from '../../model/resource/diff.ts'
import { Secret } from '../../shell/secret.ts'
import { formatSource } from '../problem.ts'
import { unifiedDiffs } from '../text-diff.ts'
import type { JournalDiff, JournalEvent, JournalHeader, JournalProblem, JournalStep } from './format.ts'

/**
 * Writes a run as lines of JSON, with secrets masked. Consecutive steps that are ok share a line, and values that many lines refer to
 * are written once: the journal of 500 hosts with 100 steps each has about one megabyte.
 *
 * @param write takes lines without line endings
 */
export function journalWriter(
  header: Omit<JournalHeader, 'provision'>,
  write: (line: string) => void,
): (event: RunEvent) => void {
  const began = performance.now()
  const put = (line: object) => write(JSON.stringify(line, masked))
  const at = () => Math.round(performance.now() - began)
  const add = (event: JournalEvent, t = at()) => put({ t, ...event })
  const stepId = numbering((info: StepInfo, id) => put({ t: at(), kind: 'define step', id, step: journalStep(info) }))
  const ingressId = numbering((ingress: object, id) => put({ t: at(), kind: 'define ingress', id, ingress }))
  let ok: { readonly t: number; readonly play: string; readonly host: string; readonly steps: number[] } | undefined
  const flush = () => {
    if (!ok) return
    const { t, ...rest } = ok
    add({ kind: 'ok', ...rest }, t)
    ok = undefined
  }
  put({ provision: 2, ...header })
  return (event) => {
    if (event.kind === 'progress') return
    if (event.kind === 'step' && (event.outcome === 'ok' || event.outcome === 'deferred')) {
      if (ok?.play !== event.play || ok.host !== event.host) flush()
      ok ??= { t: at(), play: event.play, host: event.host, steps: [] }
      ok.steps.push(stepId(keyOf(event.step), event.step))
      return
    }
    flush()
    if (event.kind === 'step') add(stepLine(event, stepId(keyOf(event.step), event.step)))
    else if (event.kind === 'applying') add({ ...event, steps: event.steps.map((one) => stepId(keyOf(one), one)) })
    else if (event.kind === 'refreshed') {
      const { ingress, ...rest } = event
      add({ ...rest, ...(ingress && { ingress: ingressId(JSON.stringify(ingress), ingress) }) })
    } else if ('problem' in event && event.problem) {
      // All fields but the problem are written unchanged.
      add({ ...event, problem: journalProblem(event.problem) } as JournalEvent)
    } else add(event as JournalEvent)
  }
}

/** Assigns a number to each value by its key, and defines it at its first use. */
function numbering<T>(define: (value: T, id: number) => void): (key: string, value: T) => number {
  const ids = new Map<string, number>()
  return (key, value) => {
    const known = ids.get(key)
    if (known !== undefined) return known
    const id = ids.size
    ids.set(key, id)
    define(value, id)
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
  if (outcome === 'allowed') return { ...line, outcome, problem: journalProblem(event.problem), reason: event.reason }
  if (outcome === 'ok' || outcome === 'deferred') throw new TypeError('a step that is ok has no separate line')
  return {
    ...line,
    outcome,
    ...(outcome === 'planned' && { known: event.known }),
    difference: journalDiff(event.difference),
    ...(event.before && { diffs: unifiedDiffs(event.difference, event.before) }),
  }
}

function journalDiff({ action, fields, parts }: Diff): JournalDiff {
  return {
    action,
    fields,
    ...(parts && { parts: parts.map(({ name, difference }) => ({ name, difference: journalDiff(difference) })) }),
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
