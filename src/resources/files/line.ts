import { compare } from '../../model/resource/diff.ts'
import { putPath } from '../../model/resource/fake-state.ts'
import { batchRead, mapRead, type Read, readBoth } from '../../model/resource/read.ts'
import { resource, type Step, type StepOptions } from '../../model/resource/step.ts'
import { forPaths } from '../../shell/script-parts.ts'
import { type Shell, sh } from '../../shell/sh.ts'
import { checkPath } from '../arguments.ts'
import { directoryOf, removeStrayFiles, showWriteError, stagingPath } from './staging.ts'
import { type AbsolutePath, type Entry, entryAt, wrongType } from './stat.ts'
import { appendedLine, contentOf, escapedBytes, type FileLine, lineOf, linesOf, withText } from './text-lines.ts'

interface LineOptions extends StepOptions {
  /**
   * Replaces the first line that matches and removes the other lines that match. Lines are matched without line endings.
   * @default the line is added
   */
  readonly match?: RegExp
}

/**
 * A line in a file that is also edited by others. The line is added at the end if neither it nor a matching line exists; a missing file
 * is created. Several steps may set lines of one file. The other lines keep their bytes in any encoding, and the line gets the line
 * ending (LF or CRLF) of the file.
 *
 * @throws TypeError for an invalid path, a text of several lines, and a match that fits an empty line: it would replace every blank line
 * @example line('/etc/login.defs', 'UMASK 027', { match: /^#?UMASK\s/ })
 */
export function line(path: AbsolutePath, text: string, { match, ...options }: LineOptions = {}): Step {
  checkPath(`line in ${path}`, path)
  if (/[\n\0]/.test(text)) throw new TypeError(`line in ${path}: the text has several lines`)
  if (match && new RegExp(match.source, match.flags.replace(/[gy]/g, '')).test(''))
    throw new TypeError(`line in ${path}: ${match} also matches an empty line, so it would replace every blank line`)
  // A regular expression with the flag g or y continues after its last match.
  const stateless = match && new RegExp(match.source, match.flags.replace(/[gy]/g, ''))
  return lineStep({ path, text, match: stateless }, options)
}

/** Characters of the text in the name of the step. */
const SHOWN = 100

interface LineParams {
  readonly path: AbsolutePath
  readonly text: string
  readonly match: RegExp | undefined
}

/** The entry and the lines of a file. */
type Lines = readonly [Entry | undefined, readonly FileLine[]]

const lineStep = resource<LineParams, Lines>('line', {
  id: ({ path, text }) => `${path}: ${text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text}`,
  affects: 'itself',
  canWaitForPackages: true,
  edits: ({ path }) => path,
  read: ({ path }) => linesAt(path),
  diff: (params, [entry, lines]) => {
    const { path, text } = params
    if (entry && entry.type !== 'file') throw wrongType(path, entry, 'a file', 'Use that path.')
    const { replaced, wanted } = edit(params, lines)
    const after = contentOf(wanted)
    if (contentOf(lines).equals(after)) return undefined
    const before = mapRead(linesAt(path), ([, now]) => contentOf(now).toString())
    return {
      ...(compare({ line: text }, { line: replaced?.text }) ?? { fields: [] }),
      action: entry ? 'change' : 'create',
      texts: [{ path, before, after: after.toString() }],
    }
  },
  apply: (params, [, lines]) => [{ script: rewrite(params, edit(params, lines)), inline: true }],
  simulate: (params, host) => {
    const { path } = params
    const before = host.paths.get(path) ?? { type: 'file', owner: 'root', group: 'root', mode: '0644' }
    const { wanted } = edit(params, linesOf(before.content))
    putPath(host, path, { ...before, content: contentOf(wanted) })
  },
})

interface Edit {
  readonly wanted: readonly FileLine[]
  /** The new line. */
  readonly line: FileLine
  /** The line that it replaces. */
  readonly replaced: FileLine | undefined
  /** The lines that are removed or replaced. */
  readonly removed: readonly FileLine[]
}

function edit({ text, match }: LineParams, lines: readonly FileLine[]): Edit {
  const fits = (one: FileLine) => one.text === text || one.bytes === text || match?.test(one.text) === true
  const at = lines.findIndex(fits)
  const first = lines[at]
  if (!first) {
    const line = appendedLine(lines, text)
    return { wanted: [...lines, line], line, replaced: undefined, removed: [] }
  }
  const line = first.text === text ? first : withText(first, text)
  if (!match) return { wanted: lines, line, replaced: first, removed: [] }
  return {
    wanted: lines.flatMap((one, i) => (i === at ? [line] : fits(one) ? [] : [one])),
    line,
    replaced: first,
    removed: lines.filter((one) => one.bytes !== line.bytes && fits(one)),
  }
}

/**
 * Edits the file on the host. Compares contents, not positions: an earlier step of the same round trip may have edited the file. The
 * first line that is removed, or already has the text, becomes the new line. The lines are sent on stdin, since arguments and
 * environment are limited to 128 KiB. A prefix makes awk compare text: it takes `10` and `1e1` for equal numbers.
 */
function rewrite({ path, match }: LineParams, { line, removed }: Edit): Shell {
  const at = stagingPath(path)
  const once = match ? 1 : 0
  const lines = [...new Set([line, ...removed].map(({ bytes }) => bytes))]
  const list = lines.map((bytes) => `${escapedBytes(bytes)}\\n`).join('')
  return sh`umask 022
{ mkdir -p ${directoryOf(path)} && { ${removeStrayFiles(path)}; } && from=${path} &&
if [ -e ${path} ]; then cp -p --attributes-only --preserve=all ${path} ${at}; else from=/dev/null; : > ${at}; fi &&
printf %b ${list} | awk -v once=${once} ${EDIT} - "$from" > ${at} && sync ${at} || { ${showWriteError(at)}; false; } && mv -fT ${at} ${path}; } || { rm -f ${at}; exit 1; }`
}

/** The first line on stdin is the new line, the others are removed. */
const EDIT = `NR == FNR { if (NR == 1) text = $0; else removed["=" $0]; next }
{ same = ("=" $0) == ("=" text); fits = same || ("=" $0) in removed }
fits { if (!done || (same && !once)) print text; done = 1; next }
{ print }
END { if (!done) print text }`

function linesAt(path: string): Read<Lines> {
  return readBoth(entryAt({ path }), linesIn(path))
}

/** One `grep` for all files of a host, which prints the name and a NUL before each line. */
const linesIn = batchRead<string, readonly FileLine[]>({
  name: 'lines',
  dependsOn: (path) => [path],
  shared: true,
  script: (paths) => forPaths(paths, (part) => sh`grep -asHZ -d skip -D skip '' -- ${part}`),
  parse: ({ bytes }, paths) => {
    const found = new Map<string, FileLine[]>(paths.map((path) => [path, []]))
    for (let at = 0; at < bytes.length; ) {
      // A name may contain a newline, a line may contain a NUL.
      const cut = bytes.indexOf(0, at)
      const end = bytes.indexOf('\n', cut)
      if (cut === -1 || end === -1) break
      found.get(bytes.toString('utf8', at, cut))?.push(lineOf(bytes.toString('latin1', cut + 1, end)))
      at = end + 1
    }
    return paths.map((path) => found.get(path) ?? [])
  },
  fakeValue: ({ paths }, path) => linesOf(paths.get(path)?.content),
})
