import type { Figure } from '../support/results.ts'

export interface Compared {
  readonly figure: Figure
  readonly before: Figure | undefined
  /** The duration as a multiple of the previous one, corrected by the ratio of the lower bounds. */
  readonly ratio: number | undefined
  readonly worse: boolean
}

/** A larger ratio than a machine has between two nights by itself. */
const MUCH = 1.25

/** Compares figures. A figure is worse if its median is above the limit and its best run is slower than the worst run before. */
export function compared(now: readonly Figure[], last: readonly Figure[]): readonly Compared[] {
  return now.map((figure) => {
    const before = last.find(({ name, unit }) => name === figure.name && unit === figure.unit)
    if (!before) return { figure, before, ratio: undefined, worse: false }
    const speed = machine(figure, before)
    const ratio = figure.median / before.median / speed
    return { figure, before, ratio, worse: ratio > MUCH && figure.least / speed > before.most }
  })
}

/** Returns the duration of the lower bound as a multiple of the previous one; 1 if it is not known. */
function machine({ floor: now }: Figure, { floor: before }: Figure): number {
  return now !== undefined && before !== undefined ? now / before : 1
}
