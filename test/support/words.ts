import type { RunEvent } from '../../src/model/event.ts'
import { Problem } from '../../src/model/problem.ts'
import { plain, showProblem } from '../../src/report/problem.ts'

/** Returns the complete message of the Problem that this throws or returns. */
export async function wordsOf(body: () => unknown): Promise<string> {
  try {
    const value = await body()
    if (value instanceof Problem) return showProblem(value, plain)
  } catch (error) {
    if (error instanceof Problem) return showProblem(error, plain)
    throw error
  }
  throw new Error('nothing was refused')
}

/** Returns a value that is no Problem. */
export function accepted<T>(value: T | Problem): T {
  if (value instanceof Problem) throw value
  return value
}

/** Returns the complete messages of all problems on hosts in a run, in order. */
export function wordsIn(events: readonly RunEvent[]): string {
  return events
    .flatMap((event) => ('problem' in event && event.problem ? [showProblem(event.problem, plain)] : []))
    .join('\n')
}
