import { elapsed } from '../../../shell/duration.ts'
import { stepTitle } from '../../format.ts'
import type { JournalStep } from '../../journal/format.ts'
import type { Entry, HostTimeline } from '../../journal/timeline.ts'
import { collapsed, count, h } from './dom.ts'
import { since } from './outcomes.ts'
import { problemBody, roles, stepBody, stepSummary } from './step.ts'

/** The events of a host by play. */
export function hostBody({ entries, problems, spans }: HostTimeline): HTMLElement {
  const plays = new Map<string, Entry[]>()
  for (const entry of entries) plays.set(entry.play, [...(plays.get(entry.play) ?? []), entry])
  const shown = entries.flatMap(({ problem }) => problem?.message ?? [])
  const waited = spans.filter(({ kind }) => kind === 'wait').reduce((sum, { from, to }) => sum + to - from, 0)
  return h(
    'div',
    { class: 'host-body' },
    waited > 0 && h('p', { class: 'quiet' }, `Waited ${elapsed(waited)} in total.`),
    problems.filter(({ problem }) => !shown.includes(problem.message)).map(({ problem }) => problemBody(problem)),
    [...plays].map(([play, own]) => [
      h('h4', {}, play === '' ? 'before the plays' : play),
      h('ul', {}, withOneOkRow(own).map(row)),
    ]),
    entries.length === 0 && problems.length === 0 && h('p', { class: 'quiet' }, 'No activity.'),
  )
}

/** Merges the steps of a play that are ok into one row. */
function withOneOkRow(entries: readonly Entry[]): readonly Entry[] {
  const steps = entries.flatMap((entry) => entry.steps ?? [])
  const rest = entries.filter(({ kind }) => kind !== 'ok')
  const [first] = entries
  if (!first || steps.length === 0) return rest
  return [...rest, { t: first.t, play: first.play, kind: 'ok', sign: '=', title: '', steps }]
}

function row(entry: Entry): HTMLElement {
  const { t, sign, title, kind, steps = [], step, line, problem } = entry
  if (kind === 'ok')
    return h(
      'li',
      { class: 'ok' },
      collapsed(h('summary', {}, `= ${count(steps.length, 'step')} ok`), () => list(steps)),
    )
  return h(
    'li',
    { class: sign === '✗' ? 'failed' : kind },
    h('span', { class: 'at' }, since(t)),
    h('span', { class: `sign ${SIGNS[sign]}` }, sign),
    h(
      'div',
      {},
      h('p', {}, title, line && h('span', { class: 'quiet' }, `: ${stepSummary(line)}`), step && roles(step)),
      line && step && stepBody(line, step),
      !line && problem && problemBody(problem),
    ),
  )
}

const SIGNS: Readonly<Record<Entry['sign'], string>> = {
  '✓': 'changed',
  '~': 'changed',
  '?': 'changed',
  '✗': 'failed',
  '·': 'note',
  '=': 'ok',
}

function list(steps: readonly JournalStep[]): HTMLElement {
  return h(
    'ul',
    { class: 'plain' },
    steps.map((step) => h('li', {}, stepTitle(step), roles(step))),
  )
}
