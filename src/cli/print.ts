import type { Problem } from '../model/problem.ts'
import { paintFor, showProblem } from '../report/problem.ts'
import { Secret } from '../shell/secret.ts'

/** Prints lines to stdout, with secrets masked. */
export function printLines(lines: Iterable<string>): void {
  for (const line of lines) process.stdout.write(`${Secret.redact(line)}\n`)
}

/** Prints problems to stderr. */
export function printProblems(...problems: readonly Problem[]): void {
  for (const problem of problems) process.stderr.write(`${showProblem(problem, paintFor(process.stderr))}\n`)
}
