/** Random choices that are the same for the same seed. */
export class Dice {
  readonly chance: () => number

  constructor(seed: number) {
    this.chance = random(seed)
  }

  /** Returns true with this probability. */
  maybe(probability = 0.5): boolean {
    return this.chance() < probability
  }

  /** Returns an integer from 0, below the limit. */
  below(limit: number): number {
    return Math.floor(this.chance() * limit)
  }

  /** Returns one of these. */
  one<T>(...all: readonly T[]): T {
    const found = all[this.below(all.length)]
    if (found === undefined) throw new RangeError('nothing to choose from')
    return found
  }

  /** Returns some of these, in their order. */
  some<T>(all: readonly T[], probability = 0.5): readonly T[] {
    return all.filter(() => this.maybe(probability))
  }

  /** Merges the lists; each keeps its order. */
  merged<T>(lists: readonly (readonly T[])[]): readonly T[] {
    const left = lists.filter((list) => list.length > 0).map((list) => [...list])
    const all: T[] = []
    while (left.length > 0) {
      const at = this.below(left.length)
      const [first, ...rest] = left[at] ?? []
      if (first !== undefined) all.push(first)
      left.splice(at, 1, ...(rest.length > 0 ? [rest] : []))
    }
    return all
  }
}

/** Mulberry32: numbers from 0, below 1. */
export function random(seed: number): () => number {
  let state = seed * 0x9e3779b9
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}
