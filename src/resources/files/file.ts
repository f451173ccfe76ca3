import { createHash } from 'node:crypto'
import { Problem } from '../../model/problem.ts'
import type { Command } from '../../model/resource/command.ts'
import { compare, type Diff, type FieldChange, type TextChange } from '../../model/resource/diff.ts'
import { type FakeState, putPath, resolvePath } from '../../model/resource/fake-state.ts'
import { known, mapRead, read, readBoth } from '../../model/resource/read.ts'
import { type Kind, resource, type Step, type StepOptions } from '../../model/resource/step.ts'
import { Secret } from '../../shell/secret.ts'
import { type Shell, sh } from '../../shell/sh.ts'
import { checkedMode, checkPath } from './check-path.ts'
import { LocalFile } from './local-file.ts'
import { copyToRemoved } from './removed.ts'
import { createSmallFile, isSmall } from './small-file.ts'
import { directoryOf, removeStrayFiles, showWriteError, stagingPath } from './staging.ts'
import { type AbsolutePath, type Entry, entryAt, matchOwnership, resolvedEntryAt } from './stat.ts'
import { upload } from './upload.ts'

export interface FileOptions extends StepOptions {
  /** @default 'root' */
  readonly owner?: string
  /** @default the owner's name */
  readonly group?: string
  /** Three or four octal digits. @default '0644'; '0600' for secret content */
  readonly mode?: string
  /**
   * Where a symbolic link stands at the path: whether the file that it leads to is meant. Otherwise the link is replaced, and what it
   * leads to is left alone. @default false
   */
  readonly follow?: boolean
  /**
   * Whether a file that is replaced is copied below `/var/lib/provision/removed` first, in a folder named for the time. For files that
   * somebody else may have written. @default false
   */
  readonly backup?: boolean
}

export type Content = string | Uint8Array | Secret | LocalFile

/**
 * A file with this content. It is written beside its place, with owner and mode right from the first moment, and renamed into it;
 * ACLs and extended attributes of a file that is there are kept, missing directories above it are made.
 *
 * @throws TypeError for a path that cannot be, and for a mode that is not octal
 * @example file('/etc/motd', 'Welcome\n')
 */
export function file(
  path: AbsolutePath,
  content: Content,
  { owner = 'root', group = owner, mode, follow = false, backup = false, ...options }: FileOptions = {},
): Step {
  const what = `file ${path}`
  checkPath(what, path)
  const wanted = checkedMode(what, mode ?? (content instanceof Secret ? '0600' : '0644'))
  const params = { path, content, owner, group, mode: wanted, backup }
  return follow ? followingStep(params, options) : fileStep(params, options)
}

interface FileParams {
  readonly path: string
  readonly content: Content
  readonly owner: string
  readonly group: string
  readonly mode: string
  readonly backup?: boolean
}

const FILE: Kind<FileParams, Entry | undefined> = {
  id: ({ path }) => path,
  affects: 'itself',
  canWaitForPackages: true,
  prepare: async ({ content }) => {
    if (content instanceof LocalFile) await content.hash()
  },
  read: ({ path, content }) => entryAt({ path, content: () => sizeOf(content) }),
  diff: (params, have) => fileDiff(params, have),
  apply: (params, have) =>
    have?.type === 'file' && hasContent(have, params.content)
      ? [{ script: setOwnership(params, have), inline: true }]
      : writeFile(params, have),
  simulate: (params, host) => simulateFile(params, host),
}

const fileStep = resource('file', {
  ...FILE,
  replace: (params) => ({
    path: params.path,
    make: (at) => makeFile(params, at),
    backup: params.backup ?? false,
    ...(params.content instanceof LocalFile && { content: params.content }),
  }),
})

/** Where a link leads to is known only when the host was asked, so this one cannot stand in a transaction. */
const followingStep = resource('file', {
  ...FILE,
  read: ({ path, content }) => resolvedEntryAt({ path, content: () => sizeOf(content) }),
  apply: (params, have) => FILE.apply({ ...params, path: have?.real ?? params.path }, have),
  simulate: (params, host) => simulateFile({ ...params, path: resolvePath(host, params.path) }, host),
})

/** What a fake host has of a file; also for kinds that are a file and more. */
export function simulateFile({ path, content, owner, group, mode }: FileParams, host: FakeState): void {
  const secret = content instanceof Secret
  putPath(host, path, { type: 'file', owner, group, mode, content: bytesOf(content), secret })
}

/** What would change of a file; also for kinds that are a file and more. */
export function fileDiff(
  { path, content, owner, group, mode }: FileParams,
  have: Entry | undefined,
): Diff | undefined {
  refuseOther(path, have)
  const same = have !== undefined && hasContent(have, content)
  const wanted = revisionOf(content)
  const found = compare(
    { type: 'file', owner, group, mode, content: wanted },
    have && {
      ...matchOwnership(have, { owner, group }),
      type: have.type,
      content: same ? wanted : revisionIn(have),
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
      // Who reads a log could try passwords against a hash.
      .map((field) => (field.name === 'content' && content instanceof Secret ? HIDDEN : field)),
    texts: [textChange(path, content, have)],
  }
}

/**
 * A file takes the place of a file or a link. What other programs use by that path (a device, a socket) or has files of its own is not
 * replaced.
 */
function refuseOther(path: string, have: Entry | undefined): void {
  if (!have || have.type === 'file' || have.type === 'link') return
  if (have.real !== undefined && have.real !== path)
    throw new Problem(`${path} leads to ${have.real}, a ${have.type}, where a file is wanted`, {
      next: 'Correct the link, or leave out follow, which replaces the link itself.',
    })
  throw new Problem(`${path} is a ${have.type}, where a file is wanted`, {
    next: 'Move it out of the way on the host, or give the step another path.',
  })
}

const HIDDEN = { name: 'content', to: 'a secret' }

function hasContent({ sha256: hash }: Entry, content: Content): boolean {
  return hash !== undefined && hash === hashOf(content)
}

/** What tells one content from another, for plans that are held against a later one. */
function revisionOf(content: Content): string {
  return hashOf(content)?.slice(0, 12) ?? `${sizeOf(content)} bytes`
}

function revisionIn({ type, size, sha256: hash }: Entry): string | undefined {
  if (type !== 'file') return undefined
  return hash?.slice(0, 12) ?? `${size} bytes`
}

function textChange(path: string, content: Content, have: Entry | undefined): TextChange {
  const after = textOf(content)
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

/** Undefined for what a person does not want to see: secrets, bytes that are no text, and far too much of it. */
function textOf(content: Content): string | undefined {
  return content instanceof Secret || sizeOf(content) > LONGEST_SHOWN ? undefined : asText(content)
}

/** Bytes. */
const LONGEST_SHOWN = 1024 * 1024

/** Undefined for bytes that are no text. */
function asText(content: Content): string | undefined {
  const bytes = bytesOf(content)
  return isBinary(bytes) ? undefined : bytes.toString()
}

function isBinary(bytes: Buffer): boolean {
  return bytes.includes(0) || !Buffer.from(bytes.toString()).equals(bytes)
}

function writeFile(params: FileParams, have: Entry | undefined): readonly Command[] {
  const { path, content } = params
  const at = stagingPath(path)
  const text = have === undefined && !(content instanceof LocalFile) ? asText(content) : undefined
  if (text !== undefined && isSmall(text))
    return [{ inline: true, script: createSmallFile({ ...params, at, text }) }]
  const make = makeFile(params, at, have)
  const place = params.backup ? sh`${copyToRemoved(path)} && mv -fT ${at} ${path}` : sh`mv -fT ${at} ${path}`
  if (!(content instanceof LocalFile))
    return [{ inline: true, script: sh`{ ${make} && ${place}; } || { rm -f ${at}; exit 1; }` }]
  return upload({ at, make, content, place })
}

/** The file, whole and with its owner and mode, at another place of the same directory. Most of its time goes into starting programs. */
function makeFile({ path, content, owner, group, mode }: FileParams, at: string, have?: Entry): Shell {
  const directory = directoryOf(at)
  const keeps = have?.owner === owner && have.group === group && have.mode === mode
  const own = keeps ? sh`` : sh` && chown ${ownership({ owner, group })} ${at} && chmod ${mode} ${at}`
  return sh`
{ [ -d ${directory} ] || (umask 022; mkdir -p ${directory}); } && umask 077 && { ${removeStrayFiles(path)}; } &&
if [ -f ${path} ] && [ ! -L ${path} ]; then cp -p --attributes-only --preserve=all ${path} ${at}${own}
else install -o ${owner} -g ${group} -m ${mode} /dev/null ${at}; fi &&
${content instanceof LocalFile ? checkFreeSpace(directory, content.size) : put(content, at)}`
}

function put(content: Exclude<Content, LocalFile>, at: string): Shell {
  const bytes = bytesOf(content)
  return isBinary(bytes)
    ? sh`{ printf %s ${bytes.toString('base64')} | base64 -d > ${at} && sync ${at} || { ${showWriteError(at)}; false; }; }`
    : sh`{ printf %s ${bytes.toString()} > ${at} && sync ${at} || { ${showWriteError(at)}; false; }; }`
}

/** Asked before anything is sent: what is on its way cannot be called back. */
function checkFreeSpace(directory: string, size: number): Shell {
  return sh`{ free=$(($(stat -f -c '%f * %S' ${directory}))); [ "$free" -ge ${size} ] || { echo ${`There is no room in ${directory}: ${size} bytes are needed,`} "$free are free." >&2; false; }; }`
}

/** At no moment is it open to more than it is before or after. */
function setOwnership({ path, owner, group, mode }: FileParams, have: Entry): Shell {
  const [before, after] = [Number.parseInt(have.mode, 8), Number.parseInt(mode, 8)]
  const both = (before & after).toString(8).padStart(4, '0')
  const same = (have.owner === owner && have.group === group) || both === have.mode
  return sh`${same ? sh`` : sh`chmod ${both} ${path} && `}chown ${ownership({ owner, group })} ${path} && chmod ${mode} ${path}`
}

function ownership({ owner, group }: { readonly owner: string; readonly group: string }): string {
  return `${owner}:${group}`
}

/**
 * The SHA-256 of a content, in hexadecimal: to name a file after what it holds.
 *
 * @example file(`/srv/app/style-${sha256(conf).slice(0, 8)}.css`, conf)
 */
export function sha256(content: Exclude<Content, LocalFile>): string {
  return createHash('sha256').update(bytesOf(content)).digest('hex')
}

function hashOf(content: Content): string | undefined {
  return content instanceof LocalFile ? content.sha256 : sha256(content)
}

function sizeOf(content: Content): number {
  return content instanceof LocalFile ? content.size : bytesOf(content).length
}

function bytesOf(content: Content): Buffer {
  if (content instanceof LocalFile) return content.read()
  return Buffer.from(content instanceof Secret ? content.reveal() : content)
}
