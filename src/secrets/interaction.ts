import type { Problem } from '../model/problem.ts'

let mayAsk = false
let refusal: Problem | undefined

/** Declares that a secret may ask the user or take time: such secrets are read before any host is connected. */
export function announceInteraction(): void {
  mayAsk = true
}

/** True if reading the secrets of this run may ask the user or take time. */
export function isInteractive(): boolean {
  return mayAsk
}

/** Records that the user refused to enter a secret, which ends the run. */
export function recordRefusal(problem: Problem): Problem {
  refusal = problem
  return problem
}

export function recordedRefusal(): Problem | undefined {
  return refusal
}
