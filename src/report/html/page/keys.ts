/** Arrows go from row to row, Home and End to the first and the last; paper shows what a screen folds. */
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
  const folded = new Set<HTMLDetailsElement>()
  addEventListener('beforeprint', () => {
    for (const button of document.querySelectorAll<HTMLButtonElement>('button.more')) button.click()
    for (const details of document.querySelectorAll<HTMLDetailsElement>(
      'details.host:not([open]), details.change:not([open])',
    )) {
      folded.add(details)
      details.open = true
      // Its own event comes later than the paper.
      details.dispatchEvent(new Event('toggle'))
    }
  })
  addEventListener('afterprint', () => {
    for (const details of folded) details.open = false
    folded.clear()
  })
}
