import { elapsed } from '../../../text/duration.ts'
import { stepTitle } from '../../describe.ts'
import type { JournalStep } from '../../journal/format.ts'
import type { Entry, HostTimeline } from '../../journal/timeline.ts'
import { count, folded, h } from './dom.ts'
import { problemBody } from './problems.ts'
import { stepBody, stepSummary } from './step.ts'
import { since } from './words.ts'

/** All that happened on a host, play by play. */
export function hostBody({ entries, problems, spans }: HostTimeline): HTMLElement {
  const plays = new Map<string, Entry[]>()
  for (const entry of entries) plays.set(entry.play, [...(plays.get(entry.play) ?? []), entry])
  const told = entries.flatMap(({ problem }) => problem?.message ?? [])
  const waited = spans.filter(({ kind }) => kind === 'wait').reduce((sum, { from, to }) => sum + to - from, 0)
  return h(
    'div',
    { class: 'host-body' },
    waited > 0 && h('p', { class: 'quiet' }, `Waited for ${elapsed(waited)} in all.`),
    problems
      .filter(({ problem }) => !told.includes(problem.message))
      .map(({ problem }) => problemBody(problem)),
    [...plays].map(([play, own]) => [
      h('h4', {}, play === '' ? 'before the plays' : play),
      h('ul', {}, inShort(own).map(row)),
    ]),
    entries.length === 0 && problems.length === 0 && h('p', { class: 'quiet' }, 'Nothing was done here.'),
  )
}

/** What is as wanted is one row a play. */
function inShort(entries: readonly Entry[]): readonly Entry[] {
  const steps = entries.flatMap((entry) => entry.steps ?? [])
  const rest = entries.filter(({ kind }) => kind !== 'as wanted')
  const [first] = entries
  if (!first || steps.length === 0) return rest
  return [...rest, { t: first.t, play: first.play, kind: 'as wanted', sign: '=', title: '', steps }]
}

function row(entry: Entry): HTMLElement {
  const { t, sign, title, kind, steps = [], step, line, problem } = entry
  if (kind === 'as wanted')
    return h(
      'li',
      { class: 'wanted' },
      folded(h('summary', {}, `= ${count(steps.length, 'step')} as wanted`), () => list(steps)),
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
  '=': 'well',
}

function list(steps: readonly JournalStep[]): HTMLElement {
  return h(
    'ul',
    { class: 'plain' },
    steps.map((step) => h('li', {}, stepTitle(step), roles(step))),
  )
}

export function roles({ roles }: JournalStep): HTMLElement | false {
  return roles.length > 0 && h('span', { class: 'role' }, roles.join(' › '))
}
