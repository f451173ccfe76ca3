import type { JournalProblem } from '../../journal/format.ts'
import type { RunTimeline } from '../../journal/timeline.ts'
import { byId, h, withShowMore } from './dom.ts'
import { hostNames } from './words.ts'

interface SharedProblem {
  readonly problem: JournalProblem
  readonly play: string
  readonly hosts: string[]
}

/** What went wrong, once for all hosts that tell the same. */
export function showProblems({ hosts }: RunTimeline): void {
  const troubles = new Map<string, SharedProblem>()
  for (const { name, problems } of hosts)
    for (const { play, problem } of problems) {
      const key = JSON.stringify([play, problem]).replaceAll(name, '…')
      const trouble = troubles.get(key) ?? { problem, play, hosts: [] }
      troubles.set(key, trouble)
      trouble.hosts.push(name)
    }
  if (troubles.size === 0) return
  byId('problems').hidden = false
  byId('problem-list').replaceChildren(...withShowMore([...troubles.values()].map(card), 'problem'))
}

function card({ problem, play, hosts }: SharedProblem): HTMLElement {
  return h(
    'article',
    { class: 'problem' },
    h('p', { class: 'quiet' }, [hostNames(hosts), play].filter((part) => part !== '').join(' · ')),
    problemBody(problem),
  )
}

export function problemBody({ message, where, details, next }: JournalProblem): HTMLElement {
  return h(
    'div',
    { class: 'trouble' },
    h('p', { class: 'message' }, message),
    where !== undefined && h('p', { class: 'quiet mono' }, `at ${where}`),
    details.length > 0 && h('pre', { tabindex: '0' }, details.join('\n')),
    next !== undefined && h('p', { class: 'next' }, next),
  )
}
