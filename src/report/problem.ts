import { styleText } from 'node:util'
import { Problem } from '../model/problem.ts'
import { Secret } from '../shell/secret.ts'
import { printable, printableInColour } from '../text/printable.ts'
import { excerpt } from './excerpt.ts'
import { formatSource } from './source-location.ts'

/** How text is coloured; `plain` leaves it as it is. */
export type Paint = (style: 'red' | 'green' | 'yellow' | 'dim' | 'bold' | 'cyan', text: string) => string

export const plain: Paint = (_style, text) => text
/** Whether the stream is a terminal is for {@link paintFor} to say: `styleText` would look at stdout, whatever we write to. */
export const coloured: Paint = (style, text) => styleText(style, text, { validateStream: false })

/** Colours for a terminal that can show them, unless NO_COLOR says otherwise; anywhere with FORCE_COLOR, unless that is 0. */
export function paintFor({ isTTY }: { readonly isTTY?: boolean }): Paint {
  const { FORCE_COLOR, NO_COLOR, TERM } = process.env
  if (FORCE_COLOR) return FORCE_COLOR === '0' ? plain : coloured
  return isTTY && !NO_COLOR && TERM !== 'dumb' ? coloured : plain
}

/** The last door of all text for people: whatever was overlooked is masked here, and nothing but our colours acts upon a terminal. */
export function sanitized(text: string, paint: Paint): string {
  // What control characters have kept apart may be a secret without them.
  const clean = paint === plain ? printable : printableInColour
  return Secret.redact(clean(Secret.redact(text)))
}

/** A Problem whole: what, where, the evidence, and what to do. */
export function showProblem(problem: Problem, paint: Paint): string {
  const { message, where, details, next } = problem
  const lines = [
    `${paint('red', 'error:')} ${paint('bold', message)}`,
    ...(where === undefined ? [] : placed(formatSource(where), paint)),
    ...details.map((line) => `   ${line}`),
    ...(next === undefined ? [] : [`   ${paint('cyan', next)}`]),
  ]
  return sanitized(lines.join('\n'), paint)
}

function placed(place: string, paint: Paint): readonly string[] {
  return [`   ${paint('dim', 'at')} ${place}`, ...excerpt(place, paint).map((line) => `     ${line}`)]
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
