import { Closed } from './value.ts'

/** A value of Python, or nothing where the text is no literal. */
type Found = { readonly value: unknown } | undefined

/**
 * Reads a text as Python's `ast.literal_eval`: numbers, texts, True, False, None, lists, tuples, sets and dictionaries. Tuples and sets
 * become lists, as in Ansible. `1,2` is a tuple. Undefined for all that Python would not take, which Ansible leaves as a text.
 */
export function pythonLiteral(text: string): Found {
  const reader = new Reader(text.replace(/^[ \t]+/, ''))
  const found = reader.items(undefined)
  if (found === undefined || !reader.atEnd) return undefined
  const [first] = found.values
  if (found.values.length === 0) return undefined
  return { value: found.values.length === 1 && !found.comma ? first : found.values }
}

interface Items {
  readonly values: readonly unknown[]
  /** A comma after the last. */
  readonly comma: boolean
}

class Reader {
  #rest: string

  constructor(text: string) {
    this.#rest = text
  }

  get atEnd(): boolean {
    this.#blank()
    return this.#rest === ''
  }

  /** Values with commas between them, up to a bracket that is taken, too. Undefined where one is no literal. */
  items(close: string | undefined): Items | undefined {
    const values: unknown[] = []
    let comma = false
    for (;;) {
      if (this.#ends(close)) return { values, comma }
      if (values.length > 0 && !comma) return undefined
      const found = this.#value()
      if (found === undefined) return undefined
      values.push(found.value)
      comma = this.#take(',')
    }
  }

  #ends(close: string | undefined): boolean {
    return close === undefined ? this.atEnd : this.#take(close)
  }

  #value(): Found {
    if (this.#take('[')) return asValue(this.items(']')?.values)
    if (this.#take('(')) return this.#tuple()
    if (this.#take('{')) return this.#braces()
    return this.#word() ?? this.#number() ?? this.#texts()
  }

  #tuple(): Found {
    const items = this.items(')')
    if (items === undefined) return undefined
    const [first] = items.values
    return items.values.length === 1 && !items.comma ? { value: first } : { value: items.values }
  }

  /** A dictionary or a set: the first item tells. */
  #braces(): Found {
    if (this.#take('}')) return { value: {} }
    const entries: [string, unknown][] = []
    const values: unknown[] = []
    for (;;) {
      const key = this.#value()
      if (key === undefined || isUnhashable(key.value)) return undefined
      if (this.#take(':')) {
        const found = this.#value()
        if (found === undefined || values.length > 0) return undefined
        entries.push([named(key.value), found.value])
      } else if (entries.length > 0) return undefined
      else values.push(key.value)
      const comma = this.#take(',')
      if (this.#take('}')) break
      if (!comma) return undefined
    }
    return { value: values.length > 0 ? [...new Set(values)] : Object.fromEntries(entries) }
  }

  #word(): Found {
    const found = this.#match(/^(True|False|None|\.\.\.)(?![\p{L}\p{N}_])/u)
    if (found === undefined) return undefined
    return { value: { True: true, False: false, None: null }[found] ?? (found === 'None' ? null : found) }
  }

  #number(): Found {
    const found = this.#match(NUMBER)
    if (found === undefined) return undefined
    if (/j$/i.test(found)) return { value: Closed.number }
    const [, sign = '', digits = ''] = /^([+-]?)\s*(.*)$/.exec(found.replaceAll('_', '')) ?? []
    const value = Number(digits) * (sign === '-' ? -1 : 1)
    const whole = !/[.]|^(?!0x).*e/i.test(digits)
    return { value: whole && !Number.isSafeInteger(value) ? Closed.number : value === 0 ? 0 : value }
  }

  /** Texts that stand next to each other are one. */
  #texts(): Found {
    let all: { readonly text: string; readonly bytes: boolean } | undefined
    for (;;) {
      const part = this.#text()
      if (part === undefined) return all && { value: all.text }
      // Texts and bytes do not join.
      if (all !== undefined && all.bytes !== part.bytes) return undefined
      all = { text: (all?.text ?? '') + part.text, bytes: part.bytes }
    }
  }

  #text(): { readonly text: string; readonly bytes: boolean } | undefined {
    this.#blank()
    const [all, prefix = '', quote = '', body = ''] =
      /^(r|b|u|br|rb|)('''|"""|'|")((?:\\[\s\S]|(?!\2)[\s\S])*)\2/i.exec(this.#rest) ?? []
    if (all === undefined) return undefined
    // Three quotes open a long text, which has no end here.
    if (body === '' && quote.length === 1 && this.#rest[all.length] === quote) return undefined
    const bytes = /b/i.test(prefix)
    const text = /r/i.test(prefix) ? body : unescaped(body, bytes)
    if (text === undefined || (bytes && /[^\0-\x7f]/.test(body))) return undefined
    this.#rest = this.#rest.slice(all.length)
    return { text, bytes }
  }

  #take(mark: string): boolean {
    this.#blank()
    if (!this.#rest.startsWith(mark)) return false
    this.#rest = this.#rest.slice(mark.length)
    return true
  }

  #match(pattern: RegExp): string | undefined {
    this.#blank()
    const [found] = pattern.exec(this.#rest) ?? []
    if (found !== undefined) this.#rest = this.#rest.slice(found.length)
    return found
  }

  #blank(): void {
    this.#rest = this.#rest.replace(/^[ \t\f]+/, '').replace(/^#.*/, '')
  }
}

const NUMBER =
  /^[+-]?[ \t]*(?:0x(?:_?[\da-f])+|0o(?:_?[0-7])+|0b(?:_?[01])+|(?:(?:\d(?:_?\d)*)?\.\d(?:_?\d)*|\d(?:_?\d)*\.)(?:e[+-]?\d(?:_?\d)*)?j?|\d(?:_?\d)*e[+-]?\d(?:_?\d)*j?|\d(?:_?\d)*j|0(?:_?0)*|[1-9](?:_?\d)*)(?![\p{L}\p{N}_.])/iu

const ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\',
  '\n': '',
  "'": "'",
  '"': '"',
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
}

const ESCAPE = /\\(?:([0-7]{1,3})|x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|([\s\S]))/g

/** Undefined for an escape that Python refuses. An unknown one stays as it is. */
function unescaped(body: string, bytes: boolean): string | undefined {
  let refused = false
  const text = body.replace(
    ESCAPE,
    (all, octal?: string, hex?: string, short?: string, long?: string, c = '') => {
      const unicode = short ?? long
      if (bytes && unicode !== undefined) return all
      const code = octal === undefined ? Number.parseInt(hex ?? unicode ?? '', 16) : Number.parseInt(octal, 8)
      refused ||= code > 0x10ffff || c === 'x' || (!bytes && c !== '' && 'uUN'.includes(c))
      if (!Number.isNaN(code)) return refused ? '' : String.fromCodePoint(code)
      return ESCAPES[c] ?? all
    },
  )
  return refused ? undefined : text
}

function asValue(values: readonly unknown[] | undefined): Found {
  return values === undefined ? undefined : { value: values }
}

function isUnhashable(value: unknown): boolean {
  return typeof value === 'object' && value !== null
}

/** The name of a key, as JSON writes it. */
function named(key: unknown): string {
  return String(key)
}
