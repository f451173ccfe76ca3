import { styleText } from 'node:util'
import { Problem } from '../model/problem.ts'
import { Secret } from '../shell/secret.ts'
import { shownPlace } from './place.ts'

/** How text is coloured; `plain` leaves it as it is. */
export type Paint = (style: 'red' | 'green' | 'yellow' | 'dim' | 'bold' | 'cyan', text: string) => string

export const plain: Paint = (_style, text) => text
/** Whether the stream is a terminal is for {@link paintFor} to say: `styleText` would look at stdout, whatever we write to. */
export const coloured: Paint = (style, text) => styleText(style, text, { validateStream: false })

/** Colours for a terminal, unless NO_COLOR says otherwise. */
export function paintFor({ isTTY }: { readonly isTTY?: boolean }): Paint {
  return isTTY && !process.env['NO_COLOR'] ? coloured : plain
}

/** A Problem whole: what, where, the evidence, and what to do. */
export function showProblem(problem: Problem, paint: Paint): string {
  const { message, where, details, next } = problem
  const lines = [
    `${paint('red', 'error:')} ${paint('bold', message)}`,
    ...(where === undefined ? [] : [`   ${paint('dim', 'at')} ${shownPlace(where)}`]),
    ...details.map((line) => `   ${line}`),
    ...(next === undefined ? [] : [`   ${paint('cyan', next)}`]),
  ]
  return Secret.redact(lines.join('\n'))
}

/** Any error: a Problem in its own words, everything else as the mistake of ours that it is. */
export function showError(
  error: unknown,
  paint: Paint,
  { stack = false }: { readonly stack?: boolean } = {},
): string {
  if (error instanceof Problem) {
    const trace = stack && error.stack ? `\n${error.stack}` : ''
    return showProblem(error, paint) + Secret.redact(trace)
  }
  const words = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return Secret.redact(`${paint('red', 'error:')} a mistake in provision itself, not in your files\n${words}`)
}
