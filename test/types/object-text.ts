/** A property of an object literal in a source text. */
export interface Property {
  readonly name: string
  readonly from: number
  /** Behind its value, before the comma. */
  readonly to: number
  /** The position of its value; undefined for a shorthand property and a spread. */
  readonly value: number | undefined
}

/** The properties of the object literal whose brace is at `open`. Enough for the inventories of this repository: no regular expressions. */
export function propertiesAt(source: string, open: number): readonly Property[] {
  const found: Property[] = []
  for (let at = skipBlank(source, open + 1); source[at] !== '}'; ) {
    const to = endOfItem(source, at)
    const [, name = '', colon = ''] = /^(?:\[?(\w+)\]?|'[^']*'|\.\.\.)(\s*:\s*)?/.exec(source.slice(at, to)) ?? []
    found.push({
      name,
      from: at,
      to,
      value: colon === '' ? undefined : source.indexOf(colon, at) + colon.length,
    })
    at = skipBlank(source, source[to] === ',' ? to + 1 : to)
  }
  return found
}

/** The same text without a property. */
export function without(source: string, { from, to }: Pick<Property, 'from' | 'to'>): string {
  return source.slice(0, from) + source.slice(source[to] === ',' ? to + 1 : to)
}

function endOfItem(source: string, from: number): number {
  let depth = 0
  for (let at = from; at < source.length; at = next(source, at)) {
    const char = source[at] ?? ''
    if (depth === 0 && (char === ',' || char === '}')) return at
    if ('{[('.includes(char)) depth++
    if ('}])'.includes(char)) depth--
  }
  throw new Error('the text ends within an object')
}

/** The place of the next character that is code. */
function next(source: string, at: number): number {
  const char = source[at] ?? ''
  if (`'"\``.includes(char)) {
    let end = at + 1
    while (source[end] !== char) end += source[end] === '\\' ? 2 : 1
    return end + 1
  }
  return skipComment(source, at + 1)
}

function skipBlank(source: string, from: number): number {
  let at = skipComment(source, from)
  while (/\s/.test(source[at] ?? '')) at = skipComment(source, at + 1)
  return at
}

function skipComment(source: string, at: number): number {
  if (source.startsWith('//', at)) return source.indexOf('\n', at)
  if (source.startsWith('/*', at)) return skipComment(source, source.indexOf('*/', at) + 2)
  return at
}
