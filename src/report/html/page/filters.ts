import type { HostTimeline, Outcome, RunTimeline } from '../../journal/timeline.ts'
import { byId, count, h, OUTCOMES, outcomeLabel } from './dom.ts'

interface Filters {
  /** Calls `show` now and after each change of the filters. */
  readonly follow: (show: (found: Found) => void) => void
  /** Searches for a host. */
  readonly choose: (host: string) => void
}

export interface Found {
  readonly hosts: readonly HostTimeline[]
  /** True if the search text matches the title of the step or the host. */
  readonly matches: (title: string, host: string) => boolean
}

/** Search text, tier and outcomes; a host must match all of them. */
export function filtersFor(run: RunTimeline): Filters {
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
    run.topology.tiers.map(({ name }) => h('option', { value: name }, name)),
  )
  const chosen = new Set<Outcome>()
  const present = OUTCOMES.filter((outcome) => run.hosts.some((host) => host.outcome === outcome))
  const buttons = present.map((outcome) => {
    const number = run.hosts.filter((host) => host.outcome === outcome).length
    const button = h(
      'button',
      { type: 'button', class: `toggle ${outcome}`, 'aria-pressed': 'false' },
      `${outcomeLabel(outcome, run)} `,
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
    h('span', { class: 'field' }, h('label', { for: 'search' }, 'Search'), search),
    h('span', { class: 'field' }, h('label', { for: 'tier' }, 'Tier'), tier),
    h('div', { class: 'outcomes', role: 'group', 'aria-label': 'Outcome' }, ...buttons),
  )
  let show: (found: Found) => void = () => {}
  const changed = () => {
    const found = find(run, { text: search.value.trim().toLowerCase(), tier: tier.value, chosen })
    byId('found').textContent =
      found.hosts.length === run.hosts.length
        ? count(run.hosts.length, 'host')
        : `${found.hosts.length} of ${count(run.hosts.length, 'host')}`
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

interface Query {
  /** In lower case. */
  readonly text: string
  readonly tier: string
  readonly chosen: ReadonlySet<Outcome>
}

function find({ hosts }: RunTimeline, { text, tier, chosen }: Query): Found {
  const has = (one: string) => one.toLowerCase().includes(text)
  const inEntries = ({ entries }: HostTimeline) =>
    entries.some(({ title, step }) => has(title) || step?.roles.some(has))
  return {
    hosts: hosts.filter(
      (host) =>
        (tier === '' || host.group === tier) &&
        (chosen.size === 0 || chosen.has(host.outcome)) &&
        (text === '' || has(host.name) || inEntries(host)),
    ),
    matches: (title, host) => text === '' || has(title) || has(host),
  }
}

/** Moves the focus between rows with the arrow keys, Home and End. */
export function enableKeyboard(): void {
  document.addEventListener('keydown', (event) => {
    const now = document.activeElement
    if (now?.tagName !== 'SUMMARY') return
    const rows = [...document.querySelectorAll('summary')].filter((row) => row.checkVisibility())
    const at = rows.findIndex((row) => row.isSameNode(now))
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 }[event.key]
    if (to === undefined) return
    event.preventDefault()
    rows[to]?.focus()
  })
}

/** Opens all rows while the page is printed. */
export function printAllRows(): void {
  const opened = new Set<HTMLDetailsElement>()
  addEventListener('beforeprint', () => {
    for (const button of document.querySelectorAll<HTMLButtonElement>('button.more')) button.click()
    for (const details of document.querySelectorAll<HTMLDetailsElement>(
      'details.host:not([open]), details.change:not([open])',
    )) {
      opened.add(details)
      details.open = true
      // The browser's own event comes after printing.
      details.dispatchEvent(new Event('toggle'))
    }
  })
  addEventListener('afterprint', () => {
    for (const details of opened) details.open = false
    opened.clear()
  })
}
