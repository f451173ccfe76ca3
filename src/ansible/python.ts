import { Unusable } from './variables.ts'

/** A Python value; undefined if the text is not a literal. */
type Literal = { readonly value: unknown } | undefined

/**
 * Parses a text like Python's `ast.literal_eval`: numbers, strings, True, False, None, lists, tuples, sets and dictionaries. Tuples and
 * sets become lists, as in Ansible. `1,2` is a tuple. Undefined for any other text, which Ansible keeps as a string.
 */
export function pythonLiteral(text: string): Literal {
  const reader = new Reader(text.replace(/^[ \t]+/, ''))
  const found = reader.items(undefined)
  if (found === undefined || !reader.atEnd) return undefined
  const [first] = found.values
  if (found.values.length === 0) return undefined
  return { value: found.values.length === 1 && !found.comma ? first : found.values }
}

interface Items {
  readonly values: readonly unknown[]
  /** True with a comma after the last. */
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

  /** Values separated by commas, up to and including a bracket. Undefined if one is not a literal. */
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

  #value(): Literal {
    if (this.#take('[')) return asValue(this.items(']')?.values)
    if (this.#take('(')) return this.#tuple()
    if (this.#take('{')) return this.#braces()
    return this.#word() ?? this.#number() ?? this.#texts()
  }

  #tuple(): Literal {
    const items = this.items(')')
    if (items === undefined) return undefined
    const [first] = items.values
    return items.values.length === 1 && !items.comma ? { value: first } : { value: items.values }
  }

  /** A dictionary or a set, depending on the first item. */
  #braces(): Literal {
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

  #word(): Literal {
    const found = this.#match(/^(True|False|None|\.\.\.)(?![\p{L}\p{N}_])/u)
    if (found === undefined) return undefined
    return { value: { True: true, False: false, None: null }[found] ?? (found === 'None' ? null : found) }
  }

  #number(): Literal {
    const found = this.#match(NUMBER)
    if (found === undefined) return undefined
    if (/j$/i.test(found)) return { value: Unusable.number }
    const [, sign = '', digits = ''] = /^([+-]?)\s*(.*)$/.exec(found.replaceAll('_', '')) ?? []
    const value = Number(digits) * (sign === '-' ? -1 : 1)
    const whole = !/[.]|^(?!0x).*e/i.test(digits)
    return { value: whole && !Number.isSafeInteger(value) ? Unusable.number : value === 0 ? 0 : value }
  }

  /** Adjacent strings are one. */
  #texts(): Literal {
    let all: { readonly text: string; readonly bytes: boolean } | undefined
    for (;;) {
      const part = this.#text()
      if (part === undefined) return all && { value: all.text }
      // Strings and bytes cannot be concatenated.
      if (all !== undefined && all.bytes !== part.bytes) return undefined
      all = { text: (all?.text ?? '') + part.text, bytes: part.bytes }
    }
  }

  #text(): { readonly text: string; readonly bytes: boolean } | undefined {
    this.#blank()
    const [all, prefix = '', quote = '', body = ''] =
      /^(r|b|u|br|rb|)('''|"""|'|")((?:\\[\s\S]|(?!\2)[\s\S])*)\2/i.exec(this.#rest) ?? []
    if (all === undefined) return undefined
    // Three quotes open a long string, which has no end here.
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

/** Undefined for an escape that Python rejects. An unknown one is kept. */
function unescaped(body: string, bytes: boolean): string | undefined {
  let refused = false
  const text = body.replace(ESCAPE, (all, octal?: string, hex?: string, short?: string, long?: string, c = '') => {
    const unicode = short ?? long
    if (bytes && unicode !== undefined) return all
    const code = octal === undefined ? Number.parseInt(hex ?? unicode ?? '', 16) : Number.parseInt(octal, 8)
    refused ||= code > 0x10ffff || c === 'x' || (!bytes && c !== '' && 'uUN'.includes(c))
    if (!Number.isNaN(code)) return refused ? '' : String.fromCodePoint(code)
    return ESCAPES[c] ?? all
  })
  return refused ? undefined : text
}

function asValue(values: readonly unknown[] | undefined): Literal {
  return values === undefined ? undefined : { value: values }
}

function isUnhashable(value: unknown): boolean {
  return typeof value === 'object' && value !== null
}

/** The name of a key, as in JSON. */
function named(key: unknown): string {
  return String(key)
}

/** The words of a line, or the error. */
export type Words = { readonly words: readonly string[] } | { readonly fault: string }

/**
 * Splits a line like Python's `shlex.split` in POSIX mode: a backslash escapes the next character, in double quotes only `"` and `\`; a
 * quoted part is joined with the adjacent text.
 *
 * @param comments if true, a `#` outside quotes begins a comment, even within a word
 */
export function shlex(text: string, { comments = false } = {}): Words {
  const words: string[] = []
  let word: string | undefined
  let quote = ''
  const letters = [...text]
  for (let i = 0; i < letters.length; i++) {
    const c = letters[i] ?? ''
    if (c === '\\' && quote !== "'") {
      const next = letters[++i]
      if (next === undefined) return { fault: 'A backslash at the end escapes nothing' }
      word = (word ?? '') + (quote === '"' && next !== '"' && next !== '\\' ? c : '') + next
    } else if (quote !== '') {
      if (c === quote) quote = ''
      else word = (word ?? '') + c
    } else if (c === '"' || c === "'") {
      quote = c
      word ??= ''
    } else if (comments && c === '#') break
    else if (' \t\r\n'.includes(c)) {
      if (word !== undefined) words.push(word)
      word = undefined
    } else word = (word ?? '') + c
  }
  if (quote !== '') return { fault: `A quote (${quote}) is not closed` }
  return { words: word === undefined ? words : [...words, word] }
}
