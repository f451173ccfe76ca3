import { dependenciesOf } from '../../model/resource/read.ts'
import type { Step } from '../../model/resource/step.ts'

/** Keeps track of the changes of a host's turn, which steps for other hosts are part of, and tells which later answers they may affect. */
export class Changes {
  readonly #host: string
  #any = false
  #far = false
  /** The things that have changed. */
  readonly #changed = new Set<string>()
  /** All that stands above a thing that has changed. */
  readonly #above = new Set<string>()

  /** @param host whose turn it is */
  constructor(host: string) {
    this.#host = host
  }

  /** Adds the change of a step. */
  add({ affects, read }: Step): void {
    this.#any = true
    if (affects === 'host') this.#far = true
    for (const thing of dependenciesOf(read, this.#host) ?? []) {
      this.#changed.add(thing)
      for (const one of ancestors(thing)) this.#above.add(one)
    }
  }

  /** Adds a change that may affect anything, such as a handler's. */
  addAnything(): void {
    this.#any = true
    this.#far = true
  }

  get isEmpty(): boolean {
    return !this.#any
  }

  /** Whether the answer to this question may be another one after the changes. */
  mayAffect(read: Step['read']): boolean {
    if (!this.#any) return false
    if (this.#far) return true
    const things = dependenciesOf(read, this.#host)
    if (!things) return true
    return things.some(
      (thing) =>
        this.#changed.has(thing) ||
        this.#above.has(thing) ||
        ancestors(thing).some((one) => this.#changed.has(one)),
    )
  }
}

/** `web1:/a/b` and `web1:/a` of `web1:/a/b/c`. */
function ancestors(thing: string): readonly string[] {
  const all: string[] = []
  for (let at = thing.lastIndexOf('/'); at > 0; at = thing.lastIndexOf('/', at - 1))
    all.push(thing.slice(0, at))
  return all
}
