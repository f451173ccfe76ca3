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
