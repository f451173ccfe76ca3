import type { HostTimeline, Outcome, RunTimeline } from '../../journal/timeline.ts'
import { byId, count, h } from './dom.ts'
import { OUTCOMES, outcomeLabel } from './words.ts'

export interface Filters {
  /** Shows what fits the filters from now on, and now. */
  readonly follow: (show: (found: Found) => void) => void
  /** Looks for one host. */
  readonly choose: (host: string) => void
}

export interface Found {
  readonly hosts: readonly HostTimeline[]
  /** Whether a step with this title is looked for on this host. */
  readonly wanted: (title: string, host: string) => boolean
}

/** Words, a tier, outcomes: hosts have to fit all of them. */
export function filtersFor(story: RunTimeline): Filters {
  const search = h('input', {
    type: 'search',
    id: 'search',
    placeholder: 'host, step or role',
    'aria-describedby': 'keys',
  })
  const tier = h(
    'select',
    { id: 'tier' },
    h('option', { value: '' }, 'all'),
    story.topology.tiers.map(({ name }) => h('option', { value: name }, name)),
  )
  const chosen = new Set<Outcome>()
  const there = OUTCOMES.filter((outcome) => story.hosts.some((host) => host.outcome === outcome))
  const buttons = there.map((outcome) => {
    const number = story.hosts.filter((host) => host.outcome === outcome).length
    const button = h(
      'button',
      { type: 'button', class: `toggle ${outcome}`, 'aria-pressed': 'false' },
      `${outcomeLabel(outcome, story)} `,
      h('b', {}, String(number)),
    )
    button.addEventListener('click', () => {
      if (!chosen.delete(outcome)) chosen.add(outcome)
      button.setAttribute('aria-pressed', String(chosen.has(outcome)))
      changed()
    })
    return button
  })
  byId('filters').replaceChildren(
    h('span', { class: 'field' }, h('label', { for: 'search' }, 'Find'), search),
    h('span', { class: 'field' }, h('label', { for: 'tier' }, 'Tier'), tier),
    h('div', { class: 'outcomes', role: 'group', 'aria-label': 'Outcome' }, ...buttons),
  )
  let show: (found: Found) => void = () => {}
  const changed = () => {
    const found = find(story, { words: search.value.trim().toLowerCase(), tier: tier.value, chosen })
    byId('found').textContent =
      found.hosts.length === story.hosts.length
        ? count(story.hosts.length, 'host')
        : `${found.hosts.length} of ${count(story.hosts.length, 'host')}`
    show(found)
  }
  search.addEventListener('input', changed)
  tier.addEventListener('change', changed)
  document.addEventListener('keydown', (event) => {
    const typing = event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement
    if (event.key === '/' && !typing && !event.ctrlKey && !event.metaKey) {
      event.preventDefault()
      search.focus()
    } else if (event.key === 'Escape' && search.value !== '') {
      search.value = ''
      changed()
    }
  })
  return {
    follow: (now) => {
      show = now
      changed()
    },
    choose: (host) => {
      search.value = host
      changed()
      byId('hosts').scrollIntoView()
    },
  }
}

interface Wanted {
  readonly words: string
  readonly tier: string
  readonly chosen: ReadonlySet<Outcome>
}

function find({ hosts }: RunTimeline, { words, tier, chosen }: Wanted): Found {
  const has = (text: string) => text.toLowerCase().includes(words)
  const inEntries = ({ entries }: HostTimeline) =>
    entries.some(({ title, step }) => has(title) || step?.roles.some(has))
  return {
    hosts: hosts.filter(
      (host) =>
        (tier === '' || host.group === tier) &&
        (chosen.size === 0 || chosen.has(host.outcome)) &&
        (words === '' || has(host.name) || inEntries(host)),
    ),
    wanted: (title, host) => words === '' || has(title) || has(host),
  }
}
