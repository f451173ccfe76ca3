import type { Problem } from '../model/problem.ts'

let wanted = false
let refused: Problem | undefined

/** A secret was declared that may need a person, or time: it is better asked for before hosts are waited for. */
export function attend(): void {
  wanted = true
}

export function isAttentionWanted(): boolean {
  return wanted
}

/** A person who was asked does not want to go on. */
export function refuse(problem: Problem): Problem {
  refused = problem
  return problem
}

export function refusalOfPerson(): Problem | undefined {
  return refused
}
