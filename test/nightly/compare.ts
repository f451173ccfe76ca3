import type { Figure } from '../support/results.ts'

export interface Compared {
  readonly figure: Figure
  readonly before: Figure | undefined
  /** How much it takes of what it took; of both, the part that is more than the floor of their night. */
  readonly ratio: number | undefined
  readonly worse: boolean
}

/** Beyond what a machine differs from itself from night to night. */
const MUCH = 1.25

/** Worse is what is so in its median, and in its best run worse than it was in its worst. */
export function compared(now: readonly Figure[], last: readonly Figure[]): readonly Compared[] {
  return now.map((figure) => {
    const before = last.find(({ name, unit }) => name === figure.name && unit === figure.unit)
    if (!before) return { figure, before, ratio: undefined, worse: false }
    const speed = machine(figure, before)
    const ratio = figure.median / before.median / speed
    return { figure, before, ratio, worse: ratio > MUCH && figure.least / speed > before.most }
  })
}

/** How much slower the machine itself is than it was, as far as that was measured. */
function machine({ floor: now }: Figure, { floor: before }: Figure): number {
  return now !== undefined && before !== undefined ? now / before : 1
}
