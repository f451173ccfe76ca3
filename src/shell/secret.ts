import { inspect } from 'node:util'

/**
 * A secret value. It prints as `***`; only `reveal()` returns it, so all uses can be found by that name. The value may come from a source,
 * such as a file or a command, which is read once, at the first use.
 *
 * @example const line = password.map((value) => `password = ${value}\n`) // a Secret, too
 */
export class Secret {
  static readonly #shown = new Set<string>()
  static #isSealed = false
  readonly #ask: () => string
  #value: string | undefined
  #refusal: { readonly error: unknown } | undefined

  /** @param ask returns the value; may throw a Problem that describes how to provide it */
  constructor(ask: () => string) {
    this.#ask = ask
  }

  reveal(): string {
    if (this.#value === undefined) {
      if (Secret.#isSealed) throw new TypeError('secrets are not asked for here')
      this.#value = this.#asked()
      for (const writing of encodings(this.#value)) Secret.#shown.add(writing)
    }
    return this.#value
  }

  /** Asks once; success and failure are cached. */
  #asked(): string {
    if (this.#refusal) throw this.#refusal.error
    try {
      return this.#ask()
    } catch (error) {
      this.#refusal = { error }
      throw error
    }
  }

  /** A secret that is computed from this one, such as a file that contains it. */
  map(change: (value: string) => string): Secret {
    return new Secret(() => change(this.reveal()))
  }

  /** Runs code that must not ask for a secret: then `reveal` throws. */
  static sealed<T>(body: () => T): T {
    const before = Secret.#isSealed
    Secret.#isSealed = true
    try {
      return body()
    } finally {
      Secret.#isSealed = before
    }
  }

  /** Replaces the values of all secrets that were revealed so far by `***`, in all their encodings. Used for all output of the process. */
  static redact(text: string): string {
    return masked(text, Secret.#shown)
  }

  toString(): string {
    return MASK
  }

  toJSON(): string {
    return MASK
  }

  [inspect.custom](): string {
    return `Secret(${MASK})`
  }

  /** Throws, because `${password}` would write three stars into a configuration. */
  [Symbol.toPrimitive](): never {
    throw new TypeError('a Secret cannot become text by itself: put it into a secret text, made with secret.text`…`')
  }
}

const MASK = '***'

/** Replaces each of these values by `***`. Overlapping values become one mask, so that no part of either remains. */
export function masked(text: string, values: Iterable<string>): string {
  const found: (readonly [from: number, to: number])[] = []
  for (const value of values) {
    for (let at = text.indexOf(value); at >= 0; at = text.indexOf(value, at + 1)) found.push([at, at + value.length])
  }
  if (found.length === 0) return text
  found.sort(([a], [b]) => a - b)
  let safe = ''
  let end = 0
  for (const [from, to] of found) {
    if (from >= end) safe += text.slice(end, from) + MASK
    end = Math.max(end, to)
  }
  return safe + text.slice(end)
}

/**
 * The encodings of a value in output: plain, quoted for a shell, JSON and SQL, URL-encoded, in base64 at any offset of a longer text, and
 * line by line for a key of many lines.
 */
export function encodings(value: string): ReadonlySet<string> {
  const texts = [value, value.trim(), ...value.split(/\r?\n/).filter((line) => /^\S{20,}$/.test(line))]
  const all = texts.flatMap((text) => [
    text,
    text.replaceAll("'", `'\\''`),
    text.replaceAll("'", "''"),
    JSON.stringify(text).slice(1, -1),
    ...inUrls(text),
    ...inBase64(text),
  ])
  return new Set(all.filter((text) => text !== ''))
}

function inUrls(text: string): readonly string[] {
  // A lone surrogate cannot be URL-encoded.
  if (/\p{Surrogate}/u.test(text)) return []
  const strict = encodeURIComponent(text)
  return [
    strict,
    strict.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()),
    encodeURI(text),
    new URLSearchParams([['', text]]).toString().slice(1),
  ]
}

/** The minimum number of characters; fewer may be in any base64 text by chance. */
const TELLING = 8

/** The base64 characters that depend on this text alone, for each of the three positions of its first byte in a group of three. */
function inBase64(text: string): readonly string[] {
  const bytes = Buffer.from(text)
  const cuts = [0, 1, 2].map((before) => {
    const bits = (before + bytes.length) * 8
    const all = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64')
    return all.slice(Math.ceil((before * 8) / 6), Math.floor(bits / 6))
  })
  const telling = [bytes.toString('base64'), ...cuts.filter((cut) => cut.length >= TELLING)]
  return telling.flatMap((cut) => [cut, cut.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')])
}
