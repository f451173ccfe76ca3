import { shortList } from '../../format.ts'
import type { JournalProblem } from '../../journal/format.ts'
import type { RunTimeline } from '../../journal/timeline.ts'
import { byId, h, withShowMore } from './dom.ts'
import { problemBody } from './step.ts'

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
