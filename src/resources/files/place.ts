import { Problem } from '../../model/problem.ts'
import { type FileLine, moveByteOrderMark } from './text-lines.ts'

/** The place of new lines in a file; lines that are there already are not moved. One of the three at most. */
export interface Place {
  /** After the last line that matches. @default at the end of the file */
  readonly after?: RegExp
  /** Before the first line that matches. */
  readonly before?: RegExp
  /** At the beginning of the file. @default false */
  readonly first?: boolean
}

/**
 * Checks a place, and removes the flags that make a regular expression continue after its last match.
 *
 * @param what the step, for the message
 * @throws TypeError
 */
export function checkedPlace(
  what: string,
  { after, before, first = false }: { readonly [K in keyof Place]: Place[K] | undefined },
): Place {
  if ([after, before, first || undefined].filter((one) => one !== undefined).length > 1)
    throw new TypeError(`${what}: give one of after, before and first`)
  return { ...(after && { after: stateless(after) }), ...(before && { before: stateless(before) }), first }
}

/** The same regular expression without the flags g and y. */
export function stateless({ source, flags }: RegExp): RegExp {
  return new RegExp(source, flags.replace(/[gy]/g, ''))
}

/** Inserts lines at a place. @throws Problem if no line matches */
export function inserted(
  path: string,
  lines: readonly FileLine[],
  added: readonly FileLine[],
  place: Place,
): readonly FileLine[] {
  const at = indexOf(path, lines, place)
  return moveByteOrderMark([...lines.slice(0, at), ...added, ...lines.slice(at)])
}

function indexOf(path: string, lines: readonly FileLine[], { after, before, first }: Place): number {
  if (first) return 0
  const anchor = after ?? before
  if (!anchor) return lines.length
  const fits = ({ text }: FileLine) => anchor.test(text)
  const found = after ? lines.findLastIndex(fits) : lines.findIndex(fits)
  if (found >= 0) return after ? found + 1 : found
  throw new Problem(`${path} has no line that matches ${anchor}`, {
    next: `The new text has its place ${after ? 'after' : 'before'} such a line. Correct the expression, or leave it out to add the text at the end.`,
  })
}
