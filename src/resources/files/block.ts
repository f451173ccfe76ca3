import { Problem } from '../../model/problem.ts'
import { resource, type Step, type StepOptions } from '../../model/resource/step.ts'
import { Secret } from '../../shell/secret.ts'
import { checkPath } from '../arguments.ts'
import { changeLines, editKind, type FileState } from './edit.ts'
import { checkedPlace, inserted, type Place } from './place.ts'
import type { AbsolutePath } from './stat.ts'
import { appendedLine, type FileLine } from './text-lines.ts'

interface MarkerOptions extends StepOptions {
  /** The characters around the text of a mark, which make it a comment: `//`, or `['<!--', '-->']`. @default '#' */
  readonly comment?: string | readonly [string, string]
}

interface BlockOptions extends MarkerOptions, Place {}

/**
 * Lines between two marks in a file that is also edited by others: `# BEGIN provision ID` and `# END provision ID`. The block is added at
 * the end, or at the given place. Later changes of the text replace it where it is. A missing file is created.
 *
 * A file with one mark without the other, or with two blocks of one id, is a Problem: nothing outside of a block is ever removed. Two steps
 * of a play that want different texts for one id are refused.
 *
 * `block.absent(path, id)` removes the block with its marks.
 *
 * @param id differs from the ids of the other blocks of the file; it is part of the marks
 * @throws TypeError for an invalid path or id, and for a text that is empty or contains a mark
 * @example block('/etc/hosts', 'cluster', '10.0.0.11 db1\n10.0.0.12 db2\n')
 * @example block.absent('/etc/hosts', 'cluster')
 */
export function block(
  path: AbsolutePath,
  id: string,
  text: string | Secret,
  { comment, after, before, first, ...options }: BlockOptions = {},
): Step {
  const what = `block ${id} in ${path}`
  checkPath(what, path)
  const marks = marksOf(what, id, comment)
  const place = checkedPlace(what, { after, before, first })
  const lines = text instanceof Secret ? undefined : checkedLines(what, text, marks)
  return blockStep(
    {
      ...{ path, id, isSecret: text instanceof Secret },
      change: (all) => {
        const wanted = lines ?? checkedLines(what, text instanceof Secret ? text.reveal() : text, marks)
        const added = [marks.begin, ...wanted, marks.end].map((one) => appendedLine(all, one))
        const found = rangeOf(path, all, marks)
        if (!found) return inserted(path, all, added, place)
        const inner = all.slice(found.begin + 1, found.end).map(({ text }) => text)
        if (inner.length === wanted.length && inner.every((one, i) => one === wanted[i])) return all
        return [...all.slice(0, found.begin + 1), ...added.slice(1, -1), ...all.slice(found.end)]
      },
    },
    options,
  )
}

block.absent = (path: AbsolutePath, id: string, { comment, ...options }: MarkerOptions = {}): Step => {
  const what = `block.absent ${id} in ${path}`
  checkPath(what, path)
  const marks = marksOf(what, id, comment)
  return blockStep(
    {
      ...{ path, id, removes: true },
      change: (all) => {
        const found = rangeOf(path, all, marks)
        return found ? [...all.slice(0, found.begin), ...all.slice(found.end + 1)] : all
      },
    },
    options,
  )
}

interface BlockParams {
  readonly path: AbsolutePath
  readonly id: string
  readonly removes?: boolean
  readonly isSecret?: boolean
  readonly change: (lines: readonly FileLine[]) => readonly FileLine[]
}

const blockStep = resource<BlockParams, FileState>(
  'block',
  editKind({
    id: ({ path, id }) => `${path}: ${id}`,
    path: ({ path }) => path,
    change: ({ change }, before) => changeLines(before, change),
    removes: ({ removes = false }) => removes,
    isSecret: ({ isSecret = false }) => isSecret,
  }),
)

interface Marks {
  readonly begin: string
  readonly end: string
}

function marksOf(what: string, id: string, comment: string | readonly [string, string] = '#'): Marks {
  if (!/^[^\s\p{C}]+( [^\s\p{C}]+)*$/u.test(id))
    throw new TypeError(`${what}: an id is one line of words with single spaces between them`)
  const [opening, closing] = typeof comment === 'string' ? [comment, ''] : comment
  const mark = (word: string) => `${opening} ${word} provision ${id} ${closing}`.trim()
  if (/[\n\0]/.test(opening + closing)) throw new TypeError(`${what}: a comment is one line`)
  return { begin: mark('BEGIN'), end: mark('END') }
}

function checkedLines(what: string, text: string, marks: Marks): readonly string[] {
  const lines = text.replace(/\n$/, '').split('\n')
  if (text.trim() === '') throw new TypeError(`${what}: the text is empty: use block.absent`)
  if (text.includes('\0')) throw new TypeError(`${what}: the text has a NUL`)
  const mark = lines.find((line) => line.trim() === marks.begin || line.trim() === marks.end)
  if (mark !== undefined) throw new TypeError(`${what}: the text contains the mark ${mark}`)
  return lines
}

/** The marks of the block; undefined if there is none. @throws Problem unless each has its counterpart */
function rangeOf(path: string, lines: readonly FileLine[], marks: Marks) {
  const placesOf = (mark: string) => lines.flatMap(({ text }, i) => (text.trim() === mark ? [i] : []))
  const [begins, ends] = [placesOf(marks.begin), placesOf(marks.end)]
  const [begin, end] = [begins[0], ends[0]]
  if (begin === undefined && end === undefined) return undefined
  if (begins.length === 1 && ends.length === 1 && begin !== undefined && end !== undefined && begin < end)
    return { begin, end }
  const found = [...begins.map((i) => [i, marks.begin] as const), ...ends.map((i) => [i, marks.end] as const)]
  throw new Problem(`${path} has not one "${marks.begin}" and one "${marks.end}" after it, so the block is not known`, {
    details: found.sort(([a], [b]) => a - b).map(([i, mark]) => `line ${i + 1}: ${mark}`),
    next: 'Add the missing mark or remove the surplus ones on the host. Nothing in the file was changed.',
  })
}
