import { Problem } from '../../model/problem.ts'
import { compare, type Diff, type FieldChange, type TextChange } from '../../model/resource/diff.ts'
import { known, mapRead, read, readBoth } from '../../model/resource/read.ts'
import { Secret } from '../../shell/secret.ts'
import { sh } from '../../shell/sh.ts'
import { type Content, type FileParams, hashOf, sizeOf, textOf } from './content.ts'
import { type Entry, entryAt, matchOwnership, wrongType } from './stat.ts'

/** Compares a file with its entry; also for kinds that contain a file. */
export function fileDiff({ path, content, owner, group, mode }: FileParams, have: Entry | undefined): Diff | undefined {
  checkType(path, have)
  const same = have !== undefined && hasContent(have, content)
  const wanted = wantedRevision(content)
  const found = compare(
    { type: 'file', owner, group, mode, content: wanted },
    have && {
      ...matchOwnership(have, { owner, group }),
      type: have.type,
      content: same ? wanted : currentRevision(have),
    },
  )
  const real: readonly FieldChange[] =
    have?.real === undefined || have.real === path ? [] : [{ name: 'real path', to: have.real }]
  if (!found?.fields.some(({ name }) => name === 'content'))
    return found && { ...found, fields: [...real, ...found.fields] }
  return {
    ...found,
    fields: [...real, ...found.fields]
      .filter(({ name }) => name !== 'type' || have)
      // The hash of a secret in a log would allow guessing it.
      .map((field) => (field.name === 'content' && content instanceof Secret ? HIDDEN : field)),
    texts: [textChange(path, content, have)],
  }
}

export function hasContent({ sha256: hash }: Entry, content: Content): boolean {
  return hash !== undefined && hash === hashOf(content)
}

/** A file replaces a file or a link. A directory, a device or a socket may be in use and is not replaced. */
function checkType(path: string, have: Entry | undefined): void {
  if (!have || have.type === 'file' || have.type === 'link') return
  if (have.real !== undefined && have.real !== path)
    throw new Problem(`${path} leads to ${have.real}, which is a ${have.type}, not a file`, {
      next: 'Correct the link, or leave out follow to replace the link.',
    })
  throw wrongType(path, have, 'a file')
}

const HIDDEN = { name: 'content', to: 'a secret' }

/** Identifies a content, so that a saved plan can be compared with a later one. */
function wantedRevision(content: Content): string {
  return hashOf(content)?.slice(0, 12) ?? `${sizeOf(content)} bytes`
}

function currentRevision({ type, size, sha256: hash }: Entry): string | undefined {
  if (type !== 'file') return undefined
  return hash?.slice(0, 12) ?? `${size} bytes`
}

/** Bytes. Longer texts are not shown. */
const LONGEST_SHOWN = 1024 * 1024

function textChange(path: string, content: Content, have: Entry | undefined): TextChange {
  const hidden = content instanceof Secret || sizeOf(content) > LONGEST_SHOWN
  const after = hidden ? undefined : textOf(content)
  if (after === undefined)
    return {
      ...{ path, before: known(''), after },
      ...(!(content instanceof Secret) && { instead: sizeAndHash(content, have) }),
    }
  const before = mapRead(
    readBoth(
      entryAt({ path }),
      read(sh`head -c ${LONGEST_SHOWN} ${path} 2>/dev/null`, ({ stdout }) => stdout),
    ),
    ([entry, text]) => (entry?.type === 'file' ? text : ''),
  )
  return { path, before, after }
}

function sizeAndHash(content: Exclude<Content, Secret>, have: Entry | undefined): string {
  const before = have?.type === 'file' ? `${have.size} → ` : ''
  return `binary or long, ${before}${sizeOf(content)} bytes, sha256 ${hashOf(content) ?? 'not known yet'}`
}
