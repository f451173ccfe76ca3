/** The reductions of a priority, as positive numbers. */
export interface Weights {
  /** While the maintenance switch is on. */
  readonly maintenance: number
  /** While the check fails. */
  readonly check: number
}

/**
 * Returns weights that order all hosts: healthy ones first, then those in maintenance, which still serve, then those whose check fails.
 */
export function weightsFor(priorities: readonly number[]): Weights {
  const gap = Math.max(...priorities) - Math.min(...priorities) + 10
  return { maintenance: Math.min(gap, LARGEST), check: Math.min(2 * gap, LARGEST) }
}

/** The maximum of keepalived. */
const LARGEST = 253
