import { createHash, randomBytes } from 'node:crypto'
import type { Command } from '../model/command.ts'
import { compare, type Difference, type TextChange } from '../model/difference.ts'
import { Problem } from '../model/problem.ts'
import { mapRead, read, together } from '../model/read.ts'
import { resource, type Step, type StepOptions } from '../model/step.ts'
import { Secret } from '../shell/secret.ts'
import { type Shell, sh } from '../shell/sh.ts'
import { type AbsolutePath, type Entry, entryAt } from './paths.ts'

export interface FileOptions extends StepOptions {
  /** @default 'root' */
  readonly owner?: string
  /** @default the owner's name */
  readonly group?: string
  /** Four octal digits. @default '0644'; '0600' for secret content */
  readonly mode?: string
}

export type Content = string | Uint8Array | Secret

/**
 * A file with this content. It is written beside its place, with owner and mode right from the first moment, and renamed into it;
 * ACLs and extended attributes of a file that is there are kept, missing directories above it are made.
 *
 * @example file('/etc/motd', 'Welcome\n')
 */
export function file(
  path: AbsolutePath,
  content: Content,
  { owner = 'root', group = owner, mode, ...options }: FileOptions = {},
): Step {
  const wanted = mode ?? (content instanceof Secret ? '0600' : '0644')
  return fileStep({ path, content, owner, group, mode: wanted.padStart(4, '0') }, options)
}

interface FileParams {
  readonly path: AbsolutePath
  readonly content: Content
  readonly owner: string
  readonly group: string
  readonly mode: string
}

const fileStep = resource<FileParams, Entry | undefined>('file', {
  id: ({ path }) => path,
  reach: 'own',
  read: ({ path }) => entryAt({ path, content: true }),
  diff: (params, have) => differenceOf(params, have),
  apply: (params, have) =>
    have?.type === 'file' && have.sha256 === sha256(params.content)
      ? [
          {
            script: sh`chown ${ownership(params)} ${params.path} && chmod ${params.mode} ${params.path}`,
            inline: true,
          },
        ]
      : [writeFile(params, have)],
  replace: (params) => ({ path: params.path, make: (at) => makeFile(params, at) }),
})

/** What would change of a file; also for kinds that are a file and more. */
export function differenceOf(
  { path, content, owner, group, mode }: FileParams,
  have: Entry | undefined,
): Difference | undefined {
  if (have?.type === 'directory') throw new Problem(`${path} is a directory, where a file is wanted`)
  const bytes = Buffer.from(bytesOf(content))
  const hash = sha256(content)
  const found = compare(
    { type: 'file', owner, group, mode, content: hash.slice(0, 12) },
    have && { ...have, type: have.type as 'file', content: have.sha256?.slice(0, 12) },
  )
  if (!found?.fields.some(({ name }) => name === 'content')) return found
  return {
    ...found,
    fields: found.fields
      .filter(({ name }) => name !== 'type' || have)
      // Who reads a log could try passwords against a hash.
      .map((field) => (field.name === 'content' && content instanceof Secret ? HIDDEN : field)),
    texts: [textChange(path, content, bytes)],
  }
}

const HIDDEN = { name: 'content', to: 'a secret' }

function textChange(path: AbsolutePath, content: Content, bytes: Buffer): TextChange {
  const secret = content instanceof Secret
  const before = mapRead(
    together(
      entryAt({ path }),
      read(sh`cat ${path} 2>/dev/null`, ({ stdout }) => stdout),
    ),
    ([entry, text]) => (entry?.type === 'file' && !secret ? text : ''),
  )
  return { path, before, after: secret || isBinary(bytes) ? undefined : bytes.toString() }
}

function isBinary(bytes: Buffer): boolean {
  return bytes.includes(0) || !Buffer.from(bytes.toString()).equals(bytes)
}

/** A name in the same directory, which a rename can replace the path from; a leading dot keeps it out of `*.conf`. */
export function beside(path: string): string {
  const cut = path.lastIndexOf('/') + 1
  return `${path.slice(0, cut)}.${path.slice(cut)}.provision-${randomBytes(4).toString('hex')}`
}

function writeFile(params: FileParams, have: Entry | undefined): Command {
  const at = beside(params.path)
  const make = makeFile(params, at, have)
  return { inline: true, script: sh`{ ${make} && mv -fT ${at} ${params.path}; } || { rm -f ${at}; exit 1; }` }
}

/** The file, whole and with its owner and mode, at another place of the same directory. Most of its time goes into starting programs. */
function makeFile({ path, content, owner, group, mode }: FileParams, at: string, have?: Entry): Shell {
  const bytes = Buffer.from(bytesOf(content))
  const put: Shell = isBinary(bytes)
    ? sh`printf %s ${bytes.toString('base64')} | base64 -d > ${at}`
    : sh`printf %s ${bytes.toString()} > ${at}`
  const directory = at.slice(0, at.lastIndexOf('/')) || '/'
  const keeps = have?.owner === owner && have.group === group && have.mode === mode
  const own = keeps ? sh`` : sh` && chown ${ownership({ owner, group })} ${at} && chmod ${mode} ${at}`
  return sh`
{ [ -d ${directory} ] || (umask 022; mkdir -p ${directory}); } && umask 077 &&
if [ -f ${path} ] && [ ! -L ${path} ]; then cp -p --attributes-only --preserve=all ${path} ${at}${own}
else install -o ${owner} -g ${group} -m ${mode} /dev/null ${at}; fi &&
${put} && sync ${at}`
}

function ownership({ owner, group }: { readonly owner: string; readonly group: string }): string {
  return `${owner}:${group}`
}

export function sha256(content: Content): string {
  return createHash('sha256').update(bytesOf(content)).digest('hex')
}

function bytesOf(content: Content): string | Uint8Array {
  return content instanceof Secret ? content.reveal() : content
}
