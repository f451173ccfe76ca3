import { resource, type Step, type StepOptions } from '../../model/resource/step.ts'
import { checkPath } from '../arguments.ts'
import { editKind, type FileState } from './edit.ts'
import type { AbsolutePath } from './stat.ts'

/**
 * Replaces every match of a regular expression in a file that is also edited by others. The expression is matched against the whole text,
 * as with the flags `g` and `m`: `^` and `$` match at each line. The replacement may contain `$1` and `$<name>` as in
 * `String.replace`. A file without a match, or a missing file, needs no change.
 *
 * A replacement that the expression would change again is a Problem, before anything changes: a run would otherwise never end with
 * nothing to do.
 *
 * @throws TypeError for an invalid path, and for an expression that matches an empty text
 * @example replace('/etc/app/app.conf', /^(\s*listen)\s.*$/, '$1 127.0.0.1:8080')
 */
export function replace(path: AbsolutePath, match: RegExp, replacement: string, options: StepOptions = {}): Step {
  const what = `replace in ${path}`
  checkPath(what, path)
  if (replacement.includes('\0')) throw new TypeError(`${what}: the replacement has a NUL`)
  const wanted = new RegExp(match.source, `${match.flags.replace(/[gmy]/g, '')}gm`)
  if (wanted.test('')) throw new TypeError(`${what}: ${match} also matches an empty text`)
  return replaceStep({ path, match: wanted, replacement }, options)
}

interface ReplaceParams {
  readonly path: AbsolutePath
  readonly match: RegExp
  readonly replacement: string
}

const replaceStep = resource<ReplaceParams, FileState>(
  'replace',
  editKind({
    id: ({ path, match: { source } }) => `${path}: /${source}/`,
    path: ({ path }) => path,
    change: ({ match, replacement }, before) => {
      const text = before.toString()
      // Text that is not UTF-8 is edited as Latin-1, which keeps all bytes.
      if (Buffer.from(text).equals(before)) return Buffer.from(text.replace(match, replacement))
      const bytes = Buffer.from(replacement).toString('latin1')
      return Buffer.from(before.toString('latin1').replace(match, bytes), 'latin1')
    },
  }),
)
