/** By how much a priority is lowered, both as positive numbers. */
export interface Weights {
  /** While the maintenance switch is on. */
  readonly maintenance: number
  /** While the check fails. */
  readonly check: number
}

/**
 * Weights that put any host in maintenance below every host that is well, and any host whose check fails below those in
 * maintenance: one of the latter still serves.
 */
export function weightsFor(priorities: readonly number[]): Weights {
  const gap = Math.max(...priorities) - Math.min(...priorities) + 10
  return { maintenance: Math.min(gap, LARGEST), check: Math.min(2 * gap, LARGEST) }
}

/** The largest that keepalived takes. */
const LARGEST = 253
