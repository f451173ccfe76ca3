import { Problem } from '../../model/problem.ts'

/** Waits for all, then throws what went wrong: each host's trouble is worth a word. */
export async function allOrProblem(work: readonly Promise<void>[]): Promise<void> {
  const errors = (await Promise.allSettled(work)).flatMap((end) =>
    end.status === 'rejected' ? [end.reason] : [],
  )
  const [first] = errors
  if (errors.length < 2) {
    if (first) throw first
    return
  }
  throw new Problem(`${errors.length} hosts did not come up.`, {
    details: errors.flatMap((error) =>
      error instanceof Problem
        ? [error.message, ...error.details, ...(error.next ? [error.next] : [])]
        : String(error),
    ),
    next: 'provision lab up tries again with those that are not up.',
  })
}
