import type { WrittenProblem } from '../journal-lines.ts'
import type { Story } from '../story.ts'
import { firstOf, h, part } from './dom.ts'
import { named } from './words.ts'

interface Trouble {
  readonly problem: WrittenProblem
  readonly play: string
  readonly hosts: string[]
}

/** What went wrong, once for all hosts that tell the same. */
export function showProblems({ hosts }: Story): void {
  const troubles = new Map<string, Trouble>()
  for (const { name, problems } of hosts)
    for (const { play, problem } of problems) {
      const key = JSON.stringify([play, problem]).replaceAll(name, '…')
      const trouble = troubles.get(key) ?? { problem, play, hosts: [] }
      troubles.set(key, trouble)
      trouble.hosts.push(name)
    }
  if (troubles.size === 0) return
  part('problems').hidden = false
  part('problem-list').replaceChildren(...firstOf([...troubles.values()].map(card), 'problem'))
}

function card({ problem, play, hosts }: Trouble): HTMLElement {
  return h(
    'article',
    { class: 'problem' },
    h('p', { class: 'quiet' }, [named(hosts), play].filter((part) => part !== '').join(' · ')),
    problemBody(problem),
  )
}

export function problemBody({ message, where, details, next }: WrittenProblem): HTMLElement {
  return h(
    'div',
    { class: 'trouble' },
    h('p', { class: 'message' }, message),
    where !== undefined && h('p', { class: 'quiet mono' }, `at ${where}`),
    details.length > 0 && h('pre', { tabindex: '0' }, details.join('\n')),
    next !== undefined && h('p', { class: 'next' }, next),
  )
}
