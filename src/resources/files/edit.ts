import { Problem } from '../../model/problem.ts'
import type { Explanation } from '../../model/resource/command.ts'
import type { Diff, FieldChange } from '../../model/resource/diff.ts'
import { putPath } from '../../model/resource/fake-state.ts'
import { batchRead, known, mapRead, type Read, readBoth } from '../../model/resource/read.ts'
import type { Kind } from '../../model/resource/step.ts'
import { forPaths, type Shell, sh } from '../../shell/sh.ts'
import { sha256 } from './content.ts'
import { writeContent } from './file.ts'
import { directoryOf, ensureDirectory, removeStrayFiles, stagingPath } from './staging.ts'
import { type AbsolutePath, type Entry, entryAt, wrongType } from './stat.ts'
import { contentOf, type FileLine, linesOf } from './text-lines.ts'

/** A kind that sets a part of a file which others edit, too. */
export interface EditKind<P> {
  readonly id: (params: P) => string
  /** The path of the file. */
  readonly path: (params: P) => AbsolutePath
  /** Pure. Returns the wanted content; the same buffer if it has nothing to change. A missing file is empty. @throws Problem */
  readonly change: (params: P, before: Buffer) => Buffer
  /** The fields that a plan shows. @default the lines that change */
  readonly fields?: (params: P, before: Buffer) => readonly FieldChange[]
  /** True for a step that removes its part. */
  readonly removes?: (params: P) => boolean
  /** True if the text of the part is not shown. */
  readonly isSecret?: (params: P) => boolean
}

/** The entry and the content of a file. */
export type FileState = readonly [Entry | undefined, Buffer]

/**
 * The functions of a kind that edits a file. The content is edited here, from what was read, and written as a whole. The file keeps owner,
 * mode, ACLs and extended attributes; a missing file is created, with its directories. A write fails if the file has changed since it was
 * read.
 */
export function editKind<P>({
  id,
  path: pathOf,
  change,
  fields = (params, before) => changedLines(before, change(params, before)),
  removes = () => false,
  isSecret = () => false,
}: EditKind<P>): Kind<P, FileState> {
  const after = (params: P, [entry, before]: FileState): FileState => [entry, change(params, before)]
  const stage = (params: P, [entry, before]: FileState, [, content]: FileState, at: string) =>
    stageEdit({ path: pathOf(params), at, before: entry && before, content })
  return {
    id,
    affects: 'itself',
    canWaitForPackages: true,
    edits: pathOf,
    read: (params) => contentAt(pathOf(params)),
    diff: (params, have): Diff | undefined => {
      const path = pathOf(params)
      const [entry, before] = have
      if (entry && entry.type !== 'file') throw wrongType(path, entry, 'a file', 'Use that path.')
      const [, content] = after(params, have)
      if (content.equals(before)) return undefined
      if (!isStable(() => change(params, content), content)) throw unstable(path)
      return {
        action: removes(params) ? 'remove' : entry ? 'change' : 'create',
        fields: isSecret(params) ? [{ name: 'text', to: 'a secret' }] : fields(params, before),
        texts: [
          isSecret(params)
            ? { path, before: known(''), after: undefined }
            : { path, before: mapRead(contentAt(path), ([, now]) => now.toString()), after: content.toString() },
        ],
      }
    },
    apply: (params, have) => {
      const at = stagingPath(pathOf(params))
      const script = stage(params, have, after(params, have), at)
      return [
        {
          script: sh`{ ${script} && mv -fT ${at} ${pathOf(params)}; } || { rm -f ${at}; exit 1; }`,
          inline: true,
          explain,
        },
      ]
    },
    simulate: (params, host) => {
      const path = pathOf(params)
      const before = host.paths.get(path)
      const content = change(params, before?.content ?? Buffer.alloc(0))
      if (!before && content.length === 0) return
      const { type, owner, group, mode, secret } = before ?? {
        type: 'file',
        owner: 'root',
        group: 'root',
        mode: '0644',
      }
      putPath(host, path, { type, owner, group, mode, content, secret: secret === true || isSecret(params) })
    },
    edit: {
      path: pathOf,
      after: (params, have) => after(params, have),
      stage: (params, from, to, at) => stage(params, from, to, at),
    },
  }
}

/** Edits a content as lines; returns the same buffer if they stay. */
export function changeLines(before: Buffer, change: (lines: readonly FileLine[]) => readonly FileLine[]): Buffer {
  const lines = linesOf(before)
  const changed = change(lines)
  const isSame = changed.length === lines.length && changed.every(({ bytes }, i) => bytes === lines[i]?.bytes)
  return isSame ? before : contentOf(changed)
}

/** Lines that a plan shows. */
const SHOWN = 10

function changedLines(before: Buffer, after: Buffer): readonly FieldChange[] {
  const [old, wanted] = [linesOf(before), linesOf(after)]
  const removed = without(old, wanted)
  const added = without(wanted, old)
  const fields = Array.from({ length: Math.max(removed.length, added.length) }, (_, i): FieldChange => {
    const [from, to] = [removed[i]?.text, added[i]?.text ?? 'absent']
    return { name: 'line', ...(from !== undefined && { from }), to }
  })
  if (fields.length === 0) return [{ name: 'lines', to: 'another order or ending' }]
  const more = fields.length - SHOWN
  return more > 0 ? [...fields.slice(0, SHOWN), { name: 'more lines', to: String(more) }] : fields
}

/** The lines of a that b does not have as often. */
function without(a: readonly FileLine[], b: readonly FileLine[]): readonly FileLine[] {
  const counts = new Map<string, number>()
  for (const { bytes } of b) counts.set(bytes, (counts.get(bytes) ?? 0) + 1)
  return a.filter(({ bytes }) => {
    const left = counts.get(bytes) ?? 0
    counts.set(bytes, left - 1)
    return left <= 0
  })
}

function explain(stderr: string): Explanation | undefined {
  return stderr.includes(CHANGED_MEANWHILE)
    ? { what: `it ${CHANGED_MEANWHILE}`, next: 'Run the same command again.' }
    : undefined
}

/** False if another change follows, or if the changed text cannot be edited again. */
function isStable(again: () => Buffer, content: Buffer): boolean {
  try {
    return again().equals(content)
  } catch (error) {
    if (error instanceof Problem) return false
    throw error
  }
}

function unstable(path: string): Problem {
  return new Problem(`A second run would change ${path} again`, {
    next: 'Its result must be in the wanted state: let the expression match the new text too, and give the same text for it.',
  })
}

/** The content of a file; empty if there is none. */
export function contentAt(path: string): Read<FileState> {
  return mapRead(readBoth(entryAt({ path }), linesIn(path)), ([entry, bytes]): FileState => {
    // grep adds a line feed to a last line without one.
    const isCut = entry?.type === 'file' && entry.size === bytes.length - 1
    return [entry, isCut ? bytes.subarray(0, -1) : bytes]
  })
}

/** One `grep` for all files of a host, which prints the name and a NUL before each line. */
const linesIn = batchRead<string, Buffer>({
  name: 'lines',
  dependsOn: (path) => [path],
  shared: true,
  script: (paths) => forPaths(paths, (part) => sh`grep -asHZ -d skip -D skip '' -- ${part}`),
  parse: ({ bytes }, paths) => {
    const found = new Map<string, Buffer[]>(paths.map((path) => [path, []]))
    for (let at = 0; at < bytes.length; ) {
      // A name may contain a newline, a line may contain a NUL.
      const cut = bytes.indexOf(0, at)
      const end = bytes.indexOf('\n', cut)
      if (cut === -1 || end === -1) break
      found.get(bytes.toString('utf8', at, cut))?.push(bytes.subarray(cut + 1, end + 1))
      at = end + 1
    }
    return paths.map((path) => Buffer.concat(found.get(path) ?? []))
  },
  fakeValue: ({ paths }, path) => paths.get(path)?.content ?? Buffer.alloc(0),
})

const CHANGED_MEANWHILE = 'was changed by another program during the run'

interface StagedEdit {
  readonly path: string
  readonly at: string
  /** Undefined for a file that is created. */
  readonly before: Buffer | undefined
  readonly content: Buffer
}

/** Creates the edited file at another path of the same directory. Fails if another program has changed the file since it was read. */
function stageEdit({ path, at, before, content }: StagedEdit): Shell {
  const isSame = before
    ? sh`sum=$(sha256sum <${path}) && [ "$sum" = ${`${sha256(before)}  -`} ]`
    : sh`[ ! -e ${path} ] && [ ! -L ${path} ]`
  const create = before ? sh`cp -p --attributes-only --preserve=all ${path} ${at}` : sh`(umask 022; : > ${at})`
  return sh`{ { ${isSame}; } || { echo ${`${path} ${CHANGED_MEANWHILE}`} >&2; false; }; } &&
${ensureDirectory(directoryOf(path))} && { ${removeStrayFiles(path)}; } && ${create} &&
${writeContent(content, at)}`
}
