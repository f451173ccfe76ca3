import { inspect } from 'node:util'

const MASK = '***'

/**
 * A value that must not be seen. It prints as `***` wherever it is printed; `reveal()` alone gives it away, so each use can be
 * found by its name. The value may come from elsewhere (a file, a command): it is asked for once, at the first use.
 */
export class Secret {
  static readonly #shown = new Set<string>()
  readonly #ask: () => string
  #value: string | undefined

  /** @param ask gives the value; may throw a Problem that says how to provide it. */
  constructor(ask: () => string) {
    this.#ask = ask
  }

  reveal(): string {
    if (this.#value === undefined) {
      this.#value = this.#ask()
      for (const form of forms(this.#value)) Secret.#shown.add(form)
    }
    return this.#value
  }

  /** A secret made of this one, such as the file that holds it. */
  map(change: (value: string) => string): Secret {
    return new Secret(() => change(this.reveal()))
  }

  /** The text with the value of every secret that was revealed so far replaced by `***`. For all that leaves the process. */
  static redact(text: string): string {
    let safe = text
    // The longest first: a file that holds a password goes before the password.
    for (const value of [...Secret.#shown].sort((a, b) => b.length - a.length))
      safe = safe.replaceAll(value, MASK)
    return safe
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

  /** `${password}` would write three stars into a configuration, so it throws instead. */
  [Symbol.toPrimitive](): never {
    throw new TypeError(
      'a Secret cannot become text by itself: put it into a secret text, made with secret`…`',
    )
  }
}

/** How a value may look when it leaves us: as it is, in the shell's quotes, in JSON, and a key of many lines a line at a time. */
function forms(value: string): ReadonlySet<string> {
  const texts = [value, value.trim(), ...value.split(/\r?\n/).filter((line) => /^\S{32,}$/.test(line))]
  const all = texts.flatMap((text) => [
    text,
    text.replaceAll("'", `'\\''`),
    JSON.stringify(text).slice(1, -1),
  ])
  return new Set(all.filter((text) => text !== ''))
}
