import { Problem } from '../../model/problem.ts'
import { resource, type Step, type StepOptions } from '../../model/resource/step.ts'
import { Secret } from '../../shell/secret.ts'
import { checkPath } from '../arguments.ts'
import { changeLines, editKind, type FileState } from './edit.ts'
import { checkedPlace, inserted, type Place, stateless } from './place.ts'
import type { AbsolutePath } from './stat.ts'
import { appendedLine, type FileLine, withText } from './text-lines.ts'

interface LineOptions extends StepOptions, Place {
  /**
   * Replaces the first line that matches and removes the other lines that match. Lines are matched without line endings.
   * @default the line is added
   */
  readonly match?: RegExp
}

interface MappedLineOptions extends StepOptions {
  /** Replaces each line that matches by the result of the function. */
  readonly match: RegExp
}

/** Makes a line from the line that matches and its groups. */
type LineMaker = (match: RegExpExecArray) => string

/**
 * A line in a file that is also edited by others. The line is added at the end, or at the given place, if neither it nor a matching line
 * exists; a missing file is created. Several steps may set lines of one file. The other lines keep their bytes in any encoding, and the
 * line gets the line ending (LF or CRLF) of the file.
 *
 * A function makes the line from each matching line and its groups. It must return the same line for its own result. A file without a
 * matching line is then a Problem.
 *
 * `line.absent(path, text)` removes all lines with this text, or all that match a regular expression.
 *
 * @throws TypeError for an invalid path, a text of several lines, and a match that fits an empty line: it would replace every blank line
 * @example line('/etc/login.defs', 'UMASK 027', { match: /^#?UMASK\s/ })
 * @example line('/etc/pam.d/sshd', 'auth required pam_faildelay.so', { before: /^@include common-auth/ })
 * @example line('/etc/default/grub', ([, rest]) => `GRUB_CMDLINE_LINUX="quiet${rest}"`, { match: /^GRUB_CMDLINE_LINUX="(?:quiet)?(.*)"/ })
 * @example line.absent('/etc/hosts', /\bold\.example\.com\b/)
 */
export function line(path: AbsolutePath, text: string | Secret, options?: LineOptions): Step
export function line(path: AbsolutePath, make: LineMaker, options: MappedLineOptions): Step
export function line(
  path: AbsolutePath,
  text: string | Secret | LineMaker,
  { match, after, before, first, ...options }: LineOptions = {},
): Step {
  const what = `line in ${path}`
  checkPath(what, path)
  if (typeof text === 'string') checkText(what, text)
  const fits = match && checkedMatch(what, match, 'replace')
  if (typeof text === 'function') {
    if (!fits) throw new TypeError(`${what}: a function needs { match }`)
    return lineStep({ path, name: String(match), change: (lines) => mapped(path, lines, fits, text) }, options)
  }
  const place = checkedPlace(what, { after, before, first })
  const isSecret = text instanceof Secret
  const name = isSecret ? 'a secret' : text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text
  const wanted = isSecret ? text.map((value) => checkText(what, value)) : text
  return lineStep(
    { path, name, isSecret, change: (lines) => withLine(path, lines, { text: revealed(wanted), match: fits, place }) },
    options,
  )
}

line.absent = (path: AbsolutePath, text: string | RegExp, options: StepOptions = {}): Step => {
  const what = `line.absent in ${path}`
  checkPath(what, path)
  const match = text instanceof RegExp ? checkedMatch(what, text, 'remove') : undefined
  if (typeof text === 'string') checkText(what, text)
  const goes = (one: FileLine) => (match ? match.test(one.text) : one.text === text || one.bytes === text)
  return lineStep(
    { path, name: String(text), removes: true, change: (lines) => lines.filter((one) => !goes(one)) },
    options,
  )
}

/** Characters of the text in the name of the step. */
const SHOWN = 100

interface LineParams {
  readonly path: AbsolutePath
  readonly name: string
  readonly removes?: boolean
  readonly isSecret?: boolean
  readonly change: (lines: readonly FileLine[]) => readonly FileLine[]
}

const lineStep = resource<LineParams, FileState>(
  'line',
  editKind({
    id: ({ path, name }) => `${path}: ${name}`,
    path: ({ path }) => path,
    change: ({ change }, before) => changeLines(before, change),
    removes: ({ removes = false }) => removes,
    isSecret: ({ isSecret = false }) => isSecret,
  }),
)

interface WantedLine {
  readonly text: string
  readonly match: RegExp | undefined
  readonly place: Place
}

function withLine(path: string, lines: readonly FileLine[], { text, match, place }: WantedLine): readonly FileLine[] {
  const fits = (one: FileLine) => one.text === text || one.bytes === text || match?.test(one.text) === true
  const at = lines.findIndex(fits)
  const first = lines[at]
  if (!first) return inserted(path, lines, [appendedLine(lines, text)], place)
  if (!match) return lines
  const line = first.text === text ? first : withText(first, text)
  return lines.flatMap((one, i) => (i === at ? [line] : fits(one) ? [] : [one]))
}

/** @throws Problem if no line matches */
function mapped(path: string, lines: readonly FileLine[], match: RegExp, make: LineMaker): readonly FileLine[] {
  const groups = lines.map(({ text }) => match.exec(text))
  if (groups.every((found) => !found))
    throw new Problem(`${path} has no line that matches ${match}`, {
      next: 'Correct the expression, or write the line as a text, which is added if no line matches.',
    })
  return lines.map((one, i) => {
    const found = groups[i]
    const text = found ? make(found) : one.text
    if (/[\n\0]/.test(text))
      throw new Problem(`${path}: the line made from ${JSON.stringify(one.text)} has several lines`)
    return text === one.text ? one : withText(one, text)
  })
}

function checkedMatch(what: string, match: RegExp, verb: string): RegExp {
  const checked = stateless(match)
  if (checked.test(''))
    throw new TypeError(`${what}: ${match} also matches an empty line, so it would ${verb} every blank line`)
  return checked
}

function checkText(what: string, text: string): string {
  if (/[\n\0]/.test(text)) throw new TypeError(`${what}: the text has several lines`)
  return text
}

function revealed(text: string | Secret): string {
  return text instanceof Secret ? text.reveal() : text
}
