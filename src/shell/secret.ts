import { inspect } from 'node:util'
import { encodings, MASK, masked } from './redaction.ts'

/**
 * A secret value. It prints as `***`; only `reveal()` returns it, so all uses can be found by that name. The value may come from a source,
 * such as a file or a command, which is read once, at the first use.
 *
 * @example const line = password.map((value) => `password = ${value}\n`) // a Secret, too
 */
export class Secret {
  static readonly #shown = new Set<string>()
  readonly #ask: () => string
  #value: string | undefined
  #refusal: { readonly error: unknown } | undefined

  /** @param ask returns the value; may throw a Problem that describes how to provide it */
  constructor(ask: () => string) {
    this.#ask = ask
  }

  reveal(): string {
    if (this.#value === undefined) {
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
