import { shortList } from '../../format.ts'
import type { JournalProblem, JournalStep, StepLine } from '../../journal/format.ts'
import type { Entry, HostTimeline, RunTimeline } from '../../journal/timeline.ts'
import { byId, collapsed, count, h, withShowMore } from './dom.ts'
import { problemBody, roles, stepBody, stepSummary } from './step.ts'

interface Change {
  readonly step: JournalStep
  readonly line: StepLine
  readonly entry: Entry
  readonly hosts: string[]
}

/** The changes of each play; equal changes of several hosts are shown once. */
export function showChanges(
  { plays }: RunTimeline,
  hosts: readonly HostTimeline[],
  matches: (title: string, host: string) => boolean,
): void {
  const changes = changesOf(hosts, matches)
  const sections = plays.flatMap((play) => {
    const own = changes.filter(({ entry }) => entry.play === play)
    if (own.length === 0) return []
    return [
      h(
        'section',
        {},
        h('h3', {}, play, h('span', {}, count(own.length, 'change'))),
        withShowMore(own.map(row), 'change'),
      ),
    ]
  })
  byId('change-list').replaceChildren(
    ...(sections.length > 0 ? sections : [h('p', { class: 'quiet' }, 'No changes to show.')]),
  )
}

function changesOf(
  hosts: readonly HostTimeline[],
  matches: (title: string, host: string) => boolean,
): readonly Change[] {
  const changes = new Map<string, Change>()
  for (const { name, entries } of hosts)
    for (const entry of entries) {
      const { step, line } = entry
      if (!step || !line?.difference || !matches(entry.title, name)) continue
      const key = JSON.stringify([entry.play, line.step, line.outcome, line.difference, line.diffs])
      const change = changes.get(key) ?? { step, line, entry, hosts: [] }
      changes.set(key, change)
      change.hosts.push(name)
    }
  return [...changes.values()]
}

function row({ step, line, entry, hosts }: Change): HTMLElement {
  const summary = h(
    'summary',
    {},
    h('span', { class: 'sign changed' }, entry.sign),
    h('span', { class: 'what' }, entry.title, h('span', { class: 'quiet' }, `: ${stepSummary(line)}`), roles(step)),
    h('span', { class: 'on' }, shortList(hosts, 3)),
  )
  const all = () => hosts.length > 3 && h('p', { class: 'quiet' }, `On ${hosts.join(', ')}.`)
  return collapsed(summary, () => [all(), stepBody(line, step)], { class: 'change' })
}

interface SharedProblem {
  readonly problem: JournalProblem
  readonly play: string
  readonly hosts: string[]
}

/** The problems of the run; problems that differ only in the name of the host are shown once. */
export function showProblems({ hosts }: RunTimeline): void {
  const shared = new Map<string, SharedProblem>()
  for (const { name, problems } of hosts)
    for (const { play, problem } of problems) {
      const key = JSON.stringify([play, problem]).replaceAll(name, '…')
      const one = shared.get(key) ?? { problem, play, hosts: [] }
      shared.set(key, one)
      one.hosts.push(name)
    }
  if (shared.size === 0) return
  byId('problems').hidden = false
  byId('problem-list').replaceChildren(...withShowMore([...shared.values()].map(card), 'problem'))
}

function card({ problem, play, hosts }: SharedProblem): HTMLElement {
  return h(
    'article',
    { class: 'problem' },
    h('p', { class: 'quiet' }, [shortList(hosts, 6), play].filter((part) => part !== '').join(' · ')),
    problemBody(problem),
  )
}
