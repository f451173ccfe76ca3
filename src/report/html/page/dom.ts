import { elapsed } from '../../../shell/duration.ts'
import type { Outcome, RunTimeline } from '../../journal/timeline.ts'

type Child = Node | string | false | undefined | readonly Child[]

/** Creates an element. Strings become text nodes: no text of a run becomes markup. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Readonly<Record<string, string | boolean | undefined>> = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes))
    if (value !== undefined && value !== false) element.setAttribute(name, value === true ? '' : value)
  append(element, children)
  return element
}

function append(element: Element, children: readonly Child[]): void {
  for (const child of children)
    if (child instanceof Node || typeof child === 'string') element.append(child)
    else if (child) append(element, child)
}

export function byId(id: string): HTMLElement {
  const found = document.getElementById(id)
  if (!found) throw new Error(`the page has no #${id}`)
  return found
}

/** `1 host`, `1,200 hosts`. */
export function count(n: number, noun: string): string {
  return `${n.toLocaleString('en')} ${noun}${n === 1 ? '' : 's'}`
}

/** A collapsed element. Its body is created when it is first opened or printed. */
export function collapsed(
  summary: Node,
  body: () => Child,
  attributes: Readonly<Record<string, string>> = {},
): HTMLDetailsElement {
  const details = h('details', attributes, summary)
  let created = false
  details.addEventListener('toggle', () => {
    if (!details.open || created) return
    created = true
    append(details, [body()])
  })
  return details
}

const MAX_ROWS = 12

/** The first rows of a long list, and a button that shows the others. */
export function withShowMore(rows: readonly HTMLElement[], noun: string): readonly HTMLElement[] {
  if (rows.length <= MAX_ROWS + 3) return rows
  const button = h('button', { type: 'button', class: 'more' }, `Show ${count(rows.length - MAX_ROWS, `more ${noun}`)}`)
  button.addEventListener('click', () => {
    const rest = rows.slice(MAX_ROWS)
    button.replaceWith(...rest)
    rest[0]?.querySelector('summary')?.focus()
  })
  return [...rows.slice(0, MAX_ROWS), button]
}

/** Worst first. */
export const OUTCOMES: readonly Outcome[] = ['failed', 'unreachable', 'skipped', 'changed', 'ok']

export function outcomeLabel(outcome: Outcome, { mode }: RunTimeline): string {
  return outcome === 'changed' && mode === 'plan' ? 'to change' : outcome
}

/** The time since the start of the run: `+1.20 s`. */
export function since(ms: number): string {
  return `+${elapsed(ms)}`
}
