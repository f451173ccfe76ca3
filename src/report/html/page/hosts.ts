import { elapsed } from '../../../shell/duration.ts'
import { stepTitle } from '../../format.ts'
import type { JournalStep } from '../../journal/format.ts'
import type { Entry, HostTimeline, RunTimeline, Span } from '../../journal/timeline.ts'
import { byId, collapsed, count, h, OUTCOMES, outcomeLabel, since, withShowMore } from './dom.ts'
import { problemBody, roles, stepBody, stepSummary } from './step.ts'

/** The hosts by tier, each as a row with its activities on a time axis. */
export function showHosts(run: RunTimeline, hosts: readonly HostTimeline[]): void {
  const tiers = [...run.topology.tiers.map(({ name }) => name), 'other']
  byId('timeline').replaceChildren(
    ...tiers.flatMap((tier) => {
      const own = hosts.filter(({ group }) => group === tier)
      if (own.length === 0) return []
      const rows = worstFirst(own).map((host) => hostRow(host, run))
      return [
        h(
          'section',
          { class: 'tier' },
          h('h3', {}, tier, h('span', {}, count(own.length, 'host'))),
          withShowMore(rows, 'host'),
        ),
      ]
    }),
  )
  if (hosts.length === 0) byId('timeline').append(h('p', { class: 'quiet' }, 'No matching hosts.'))
}

export function showAxis({ ms }: RunTimeline): void {
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((share) => h('span', {}, elapsed(ms * share)))
  byId('axis').replaceChildren(...ticks)
}

/** A small tier keeps the order of the inventory. */
function worstFirst(hosts: readonly HostTimeline[]): readonly HostTimeline[] {
  if (hosts.length <= 15) return hosts
  return [...hosts].sort((a, b) => OUTCOMES.indexOf(a.outcome) - OUTCOMES.indexOf(b.outcome))
}

function hostRow(host: HostTimeline, run: RunTimeline): HTMLElement {
  const { name, outcome, summary, spans } = host
  const label = outcomeLabel(outcome, run)
  const summaryRow = h(
    'summary',
    {},
    h('span', { class: 'name' }, name),
    h('span', { class: `outcome ${outcome}` }, outcome === 'changed' ? `${summary?.changed ?? 0} ${label}` : label),
    h('span', { class: 'trips' }, summary ? count(summary.trips, 'trip') : ''),
    h(
      'span',
      { class: 'track', 'aria-hidden': 'true' },
      spans.map((span) => bar(span, run.ms)),
    ),
  )
  return collapsed(summaryRow, () => hostBody(host), { class: 'host', 'data-host': name })
}

function bar({ kind, from, to, what }: Span, ms: number): HTMLElement {
  const drawn = h('i', { class: kind, title: `${since(from)}, ${elapsed(to - from)}: ${what}` })
  const share = (t: number) => `${((100 * t) / Math.max(1, ms)).toFixed(3)}%`
  drawn.style.left = share(from)
  drawn.style.width = share(to - from)
  return drawn
}

/** The events of a host by play. */
function hostBody({ entries, problems, spans }: HostTimeline): HTMLElement {
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
  '!': 'changed',
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
