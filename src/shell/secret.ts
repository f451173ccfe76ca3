import { inspect } from 'node:util'
import { encodings, MASK, masked } from './redaction.ts'

/**
 * A value that must not be seen. It prints as `***` wherever it is printed; `reveal()` alone gives it away, so each use can be
 * found by its name. The value may come from elsewhere (a file, a command): it is asked for once, at the first use.
 *
 * @example const line = password.map((value) => `password = ${value}\n`) // a Secret, too
 */
export class Secret {
  static readonly #shown = new Set<string>()
  readonly #ask: () => string
  #value: string | undefined
  #refusal: { readonly error: unknown } | undefined

  /** @param ask gives the value; may throw a Problem that says how to provide it. */
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

  /** Nobody is asked twice, whatever the answer was. */
  #asked(): string {
    if (this.#refusal) throw this.#refusal.error
    try {
      return this.#ask()
    } catch (error) {
      this.#refusal = { error }
      throw error
    }
  }

  /** A secret made of this one, such as the file that holds it. */
  map(change: (value: string) => string): Secret {
    return new Secret(() => change(this.reveal()))
  }

  /**
   * The text with the value of every secret that was revealed so far replaced by `***`, however it is written there. For all that
   * leaves the process.
   */
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

  /** `${password}` would write three stars into a configuration, so it throws instead. */
  [Symbol.toPrimitive](): never {
    throw new TypeError(
      'a Secret cannot become text by itself: put it into a secret text, made with secret.text`…`',
    )
  }
}
