import { compare } from '../model/difference.ts'
import { Problem } from '../model/problem.ts'
import { family, mapRead, type Read, together } from '../model/read.ts'
import { place } from '../model/sketch.ts'
import { resource, type Step, type StepOptions } from '../model/step.ts'
import { type Shell, sh } from '../shell/sh.ts'
import { type AbsolutePath, type Entry, entryAt } from './paths.ts'
import { beside, directoryOf, swept } from './staging.ts'

export interface LineOptions extends StepOptions {
  /** The lines that it stands for: it takes the place of the first of them, and the others go. @default none, it is added */
  readonly match?: RegExp
}

/**
 * A line in a file that others write, too. Where neither it nor a line that matches is there, it is added at the end; a missing file
 * is made. Several lines of one file may be wanted at the same time, and the rest of it stays as it is.
 *
 * @example line('/etc/login.defs', 'UMASK 027', { match: /^#?UMASK\s/ })
 */
export function line(path: AbsolutePath, text: string, { match, ...options }: LineOptions = {}): Step {
  if (/[\n\0]/.test(text)) throw new TypeError(`line in ${path}: it is more than one`)
  // A regular expression with the flag g or y goes on where it stopped the last time.
  const stateless = match && new RegExp(match.source, match.flags.replace(/[gy]/g, ''))
  return lineStep({ path, text, match: stateless }, options)
}

interface LineParams {
  readonly path: AbsolutePath
  readonly text: string
  readonly match: RegExp | undefined
}

/** The entry of a file, and the lines in it. */
type Lines = readonly [Entry | undefined, readonly string[]]

const lineStep = resource<LineParams, Lines>('line', {
  id: ({ path, text }) => `${path}: ${text}`,
  reach: 'own',
  yields: true,
  read: ({ path }) => linesAt(path),
  diff: (params, [entry, lines]) => {
    const { path, text } = params
    if (entry && entry.type !== 'file')
      throw new Problem(`${path} is a ${entry.type}, where a file is wanted`)
    const { replaced, wanted } = edit(params, lines)
    if (lines.join('\n') === wanted.join('\n')) return undefined
    const before = mapRead(linesAt(path), ([, now]) => whole(now))
    return {
      ...(compare({ line: text }, { line: replaced }) ?? { fields: [] }),
      verb: entry ? 'change' : 'create',
      texts: [{ path, before, after: whole(wanted) }],
    }
  },
  apply: (params, [, lines]) => [{ script: rewrite(params, edit(params, lines).goes), inline: true }],
  becomes: (params, host) => {
    const { path } = params
    const before = host.paths.get(path) ?? { type: 'file', owner: 'root', group: 'root', mode: '0644' }
    const { wanted } = edit(params, linesIn(before.content))
    place(host, path, { ...before, content: Buffer.from(whole(wanted)) })
  },
})

interface Edit {
  readonly wanted: readonly string[]
  /** What the line takes the place of. */
  readonly replaced: string | undefined
  /** Lines that are not to be there any more. */
  readonly goes: readonly string[]
}

function edit({ text, match }: LineParams, lines: readonly string[]): Edit {
  const stands = (one: string) => one === text || match?.test(one) === true
  const at = lines.findIndex(stands)
  if (at === -1) return { wanted: [...lines, text], replaced: undefined, goes: [] }
  if (!match) return { wanted: lines, replaced: text, goes: [] }
  return {
    wanted: lines.flatMap((one, i) => (i === at ? [text] : stands(one) ? [] : [one])),
    replaced: lines[at],
    goes: [...new Set(lines.filter((one) => one !== text && stands(one)))],
  }
}

/**
 * On the host, and by what lines say, not where they stand: another step of the same trip may have edited the file since it was
 * read. The first that is replaced or is the line already becomes the line. All is compared as text: to awk, `10` equals `1e1`.
 */
function rewrite({ path, text, match }: LineParams, goes: readonly string[]): Shell {
  const at = beside(path)
  const once = match ? 1 : 0
  return sh`umask 022
{ mkdir -p ${directoryOf(path)} && { ${swept(path)}; } && from=${path} &&
if [ -e ${path} ]; then cp -p --attributes-only --preserve=all ${path} ${at}; else from=/dev/null; : > ${at}; fi &&
_text=${text} _goes=${goes.join('\n')} awk -v once=${once} ${EDIT} < "$from" > ${at} && sync ${at} && mv -fT ${at} ${path}; } || { rm -f ${at}; exit 1; }`
}

const EDIT = `BEGIN { text = ENVIRON["_text"]; n = split(ENVIRON["_goes"], list, "\\n"); for (i = 1; i <= n; i++) goes["=" list[i]] }
{ same = ("=" $0) == ("=" text); stands = same || (n && ("=" $0) in goes) }
stands { if (!done || (same && !once)) print text; done = 1; next }
{ print }
END { if (!done) print text }`

function linesAt(path: string): Read<Lines> {
  return together(entryAt({ path }), linesOf(path))
}

/** One `grep` for all files of a host: it puts a name and a NUL before each line. */
const linesOf = family<string, readonly string[]>({
  name: 'lines',
  script: (paths) =>
    sh`printf '%s\0' ${[...new Set(paths)]} | xargs -0 sh -c 'find "$@" -maxdepth 0 -type f -print0' _ 2>/dev/null | xargs -0 -r grep -aHZ '' -- /dev/null`,
  parse: ({ stdout }, paths) => {
    const found = new Map<string, string[]>(paths.map((path) => [path, []]))
    for (let at = 0; at < stdout.length; ) {
      // A name may hold a newline, a line may hold a NUL.
      const cut = stdout.indexOf('\0', at)
      const end = stdout.indexOf('\n', cut)
      if (cut === -1 || end === -1) break
      found.get(stdout.slice(at, cut))?.push(stdout.slice(cut + 1, end))
      at = end + 1
    }
    return paths.map((path) => found.get(path) ?? [])
  },
  sketched: ({ paths }, path) => linesIn(paths.get(path)?.content),
})

function linesIn(content: Buffer | undefined): readonly string[] {
  const text = content?.toString() ?? ''
  return text === '' ? [] : text.replace(/\n$/, '').split('\n')
}

function whole(lines: readonly string[]): string {
  return lines.map((one) => `${one}\n`).join('')
}
