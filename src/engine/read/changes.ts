import { dependenciesOf } from '../../model/resource/read.ts'
import type { Step } from '../../model/resource/step.ts'

/** The changes of a host's turn, and the answers that they may affect. Steps for other hosts are part of the turn. */
export class Changes {
  readonly #host: string
  #any = false
  /** True if a change may have affected anything. */
  #isUnlimited = false
  /** The changed things, such as paths, each with its host. */
  readonly #changed = new Set<string>()
  /** The directories above them. */
  readonly #above = new Set<string>()

  /** @param host the host of the turn */
  constructor(host: string) {
    this.#host = host
  }

  /** Adds the change of a step. */
  add({ affects, read }: Step): void {
    this.#any = true
    if (affects === 'host') this.#isUnlimited = true
    for (const thing of dependenciesOf(read, this.#host) ?? []) {
      this.#changed.add(thing)
      for (const one of ancestors(thing)) this.#above.add(one)
    }
  }

  /** Adds a change that may affect anything, such as that of a handler. */
  addAnything(): void {
    this.#any = true
    this.#isUnlimited = true
  }

  get isEmpty(): boolean {
    return !this.#any
  }

  /** True if the answer to this question may differ after the changes. */
  mayAffect(read: Step['read']): boolean {
    if (!this.#any) return false
    if (this.#isUnlimited) return true
    const things = dependenciesOf(read, this.#host)
    if (!things) return true
    return things.some(
      (thing) =>
        this.#changed.has(thing) || this.#above.has(thing) || ancestors(thing).some((one) => this.#changed.has(one)),
    )
  }
}

/** `web1:/a/b` and `web1:/a` of `web1:/a/b/c`. */
function ancestors(thing: string): readonly string[] {
  const all: string[] = []
  for (let at = thing.lastIndexOf('/'); at > 0; at = thing.lastIndexOf('/', at - 1)) all.push(thing.slice(0, at))
  return all
}
