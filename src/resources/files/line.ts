import { Problem } from '../../model/problem.ts'
import { compare } from '../../model/resource/diff.ts'
import { putPath } from '../../model/resource/fake-state.ts'
import { batchRead, mapRead, type Read, readBoth } from '../../model/resource/read.ts'
import { resource, type Step, type StepOptions } from '../../model/resource/step.ts'
import { forPaths } from '../../shell/script-parts.ts'
import { type Shell, sh } from '../../shell/sh.ts'
import { checkPath } from './check-path.ts'
import { directoryOf, removeStrayFiles, showWriteError, stagingPath } from './staging.ts'
import { type AbsolutePath, type Entry, entryAt } from './stat.ts'
import {
  appendedLine,
  contentOf,
  escapedBytes,
  type FileLine,
  lineOf,
  linesOf,
  withText,
} from './text-lines.ts'

export interface LineOptions extends StepOptions {
  /**
   * The lines that it replaces: it takes the place of the first line that matches, and the other lines that match are removed. Lines
   * are matched without their line ending. @default none, the line is added
   */
  readonly match?: RegExp
}

/**
 * A line in a file that others write, too. If neither the line nor one that matches is there, it is added at the end; a missing file
 * is created. Several steps may set lines of one file. All other lines keep their bytes, whatever the encoding, and the line gets the
 * line ending (LF or CRLF) of its file.
 *
 * @throws TypeError for a path that cannot be, for a text of several lines, and for a match that fits an empty line: it would replace every blank line
 * @example line('/etc/login.defs', 'UMASK 027', { match: /^#?UMASK\s/ })
 */
export function line(path: AbsolutePath, text: string, { match, ...options }: LineOptions = {}): Step {
  checkPath(`line in ${path}`, path)
  if (/[\n\0]/.test(text)) throw new TypeError(`line in ${path}: it is more than one`)
  if (match && new RegExp(match.source, match.flags.replace(/[gy]/g, '')).test(''))
    throw new TypeError(
      `line in ${path}: ${match} also matches an empty line, so it would replace every blank line`,
    )
  // A regular expression with the flag g or y goes on where it stopped the last time.
  const stateless = match && new RegExp(match.source, match.flags.replace(/[gy]/g, ''))
  return lineStep({ path, text, match: stateless }, options)
}

/** Characters of the text that the step's name shows. */
const LONGEST_NAME = 100

interface LineParams {
  readonly path: AbsolutePath
  readonly text: string
  readonly match: RegExp | undefined
}

/** The entry of a file, and the lines in it. */
type Lines = readonly [Entry | undefined, readonly FileLine[]]

const lineStep = resource<LineParams, Lines>('line', {
  id: ({ path, text }) => `${path}: ${text.length > LONGEST_NAME ? `${text.slice(0, LONGEST_NAME)}…` : text}`,
  affects: 'itself',
  canWaitForPackages: true,
  edits: ({ path }) => path,
  read: ({ path }) => linesAt(path),
  diff: (params, [entry, lines]) => {
    const { path, text } = params
    if (entry && entry.type !== 'file')
      throw new Problem(`${path} is a ${entry.type}, where a file is wanted`, {
        next:
          entry.type === 'link'
            ? `It leads to ${entry.target}. Name that file.`
            : 'Move it out of the way on the host, or give the step another path.',
      })
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
  /** The line that has the text afterwards. */
  readonly line: FileLine
  /** The line whose place it takes. */
  readonly replaced: FileLine | undefined
  /** Lines that are removed or replaced. */
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
 * Runs on the host, and compares contents rather than positions: an earlier step of the same trip may have edited the file since it
 * was read. The first line that is removed, or has the text already, becomes the line. The lines travel on stdin, since neither an
 * argument nor the environment takes 128 KiB. All is compared as text: to awk, `10` equals `1e1`.
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

/** The first line of the list on stdin is the wanted one, the others are removed. */
const EDIT = `NR == FNR { if (NR == 1) text = $0; else removed["=" $0]; next }
{ same = ("=" $0) == ("=" text); fits = same || ("=" $0) in removed }
fits { if (!done || (same && !once)) print text; done = 1; next }
{ print }
END { if (!done) print text }`

function linesAt(path: string): Read<Lines> {
  return readBoth(entryAt({ path }), linesIn(path))
}

/** One `grep` for all files of a host: it puts a name and a NUL before each line. */
const linesIn = batchRead<string, readonly FileLine[]>({
  name: 'lines',
  dependsOn: (path) => [path],
  shared: true,
  script: (paths) => forPaths(paths, (part) => sh`grep -asHZ -d skip -D skip '' -- ${part}`),
  parse: ({ bytes }, paths) => {
    const found = new Map<string, FileLine[]>(paths.map((path) => [path, []]))
    for (let at = 0; at < bytes.length; ) {
      // A name may hold a newline, a line may hold a NUL.
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
