type Child = Node | string | false | undefined | readonly Child[]

/** An element with what is in it. Text is text: nothing of a run becomes markup. */
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

/** The element of the page that has this id. */
export function byId(id: string): HTMLElement {
  const found = document.getElementById(id)
  if (!found) throw new Error(`the page has no #${id}`)
  return found
}

export function count(n: number, noun: string): string {
  return `${n.toLocaleString('en')} ${noun}${n === 1 ? '' : 's'}`
}

/** What a folded element holds is made when it is first opened, or printed. */
export function folded(
  summary: Node,
  body: () => Child,
  attributes: Readonly<Record<string, string>> = {},
): HTMLDetailsElement {
  const details = h('details', attributes, summary)
  let made = false
  details.addEventListener('toggle', () => {
    if (!details.open || made) return
    made = true
    append(details, [body()])
  })
  return details
}

const MOST = 12

/** The first few of many, with a button for the rest. */
export function withShowMore(rows: readonly HTMLElement[], noun: string): readonly HTMLElement[] {
  if (rows.length <= MOST + 3) return rows
  const button = h(
    'button',
    { type: 'button', class: 'more' },
    `Show ${count(rows.length - MOST, `more ${noun}`)}`,
  )
  button.addEventListener('click', () => {
    const rest = rows.slice(MOST)
    button.replaceWith(...rest)
    rest[0]?.querySelector('summary')?.focus()
  })
  return [...rows.slice(0, MOST), button]
}
