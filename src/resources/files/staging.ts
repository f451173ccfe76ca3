import { createHash, randomBytes } from 'node:crypto'
import type { Command, Streamed } from '../../model/resource/command.ts'
import { type Shell, sh } from '../../shell/sh.ts'
import { LONGEST_NAME } from '../arguments.ts'

const RANDOM_DIGITS = 8

/** A new name in the same directory, from where `mv` replaces the path atomically. A leading dot hides it from patterns such as `*.conf`. */
export function stagingPath(path: string): string {
  return stem(path) + randomBytes(RANDOM_DIGITS / 2).toString('hex')
}

/** Removes staged files that a crash or a kill has left next to the path. No other run works on the host at the same time. */
export function removeStrayFiles(path: string): Shell {
  return sh`for stray in ${stem(path)}????????; do [ ! -e "$stray" ] && [ ! -L "$stray" ] || rm -f -- "$stray" || exit; done`
}

/** Moves a staged file to its path. `mv` refuses to replace a file by a link to it, so that file is removed first. */
export function moveInto(at: string | Shell, path: string | Shell): Shell {
  return sh`{ [ ! ${at} -ef ${path} ] || [ -L ${path} ] || rm -f -- ${path}; } && mv -fT -- ${at} ${path}`
}

/** Prints the reason of a failed write, which the `printf` of dash and some filters do not. Prints nothing if a write succeeds now. */
export function showWriteError(at: string | Shell): Shell {
  return sh`dd if=/dev/zero of=${at} bs=64k count=1 conv=fsync status=none`
}

/** Creates a directory and its parents unless it exists. */
export function ensureDirectory(directory: string): Shell {
  return sh`{ [ -d ${directory} ] || (umask 022; mkdir -p ${directory}); }`
}

/** Everything that runs remove or replace is kept here, in a directory per moment. */
export const REMOVED = '/var/lib/provision/removed'

const CREATE_REMOVED = sh`to=${REMOVED}/$(date +%Y%m%dT%H%M%S.%N) && mkdir -p "$to"`

/** Moves a path to {@link REMOVED}. */
export function moveToRemoved(path: string | Shell): Shell {
  return sh`umask 077; ${CREATE_REMOVED} && mv ${path} "$to/"`
}

/** Copies a regular file to {@link REMOVED}; does nothing for anything else. */
export function copyToRemoved(path: string): Shell {
  return sh`{ [ ! -f ${path} ] || [ -L ${path} ] || (umask 077; ${CREATE_REMOVED} && cp -a ${path} "$to/"); }`
}

export function directoryOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/'
}

export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

function stem(path: string): string {
  const cut = path.lastIndexOf('/') + 1
  const mark = '.provision-'
  const longest = LONGEST_NAME - 1 - mark.length - RANDOM_DIGITS
  return `${path.slice(0, cut)}.${shortened(path.slice(cut), longest)}${mark}`
}

/** Shortens long names and keeps them distinct: they may differ only at their ends. */
function shortened(name: string, bytes: number): string {
  if (Buffer.byteLength(name) <= bytes) return name
  const digest = createHash('sha256').update(name).digest('hex').slice(0, 12)
  let kept = ''
  for (const character of name) {
    if (Buffer.byteLength(kept + character) > bytes - digest.length - 1) break
    kept += character
  }
  return `${kept}~${digest}`
}

interface Upload {
  readonly at: string
  /** Creates the empty file with owner and mode. */
  readonly create: Shell
  readonly content: Streamed & { readonly size: number }
  /** Runs when the file is complete. @default nothing */
  readonly finish?: Shell
}

/** Creates a file on the host and streams the content into it. */
export function upload({ at, create, content, finish = sh`:` }: Upload): readonly Command[] {
  return [
    { inline: true, script: sh`{ ${create}; } || { rm -f ${at}; exit 1; }` },
    {
      script: sh`{ cat > ${at} && sync ${at} && ${finish}; } || { rm -f ${at}; exit 1; }`,
      input: content,
      reportsProgress: true,
      timeout: MIN_TIMEOUT + content.size / MIN_RATE,
    },
  ]
}

/** Milliseconds. */
const MIN_TIMEOUT = 600_000

/** Bytes per millisecond. A stalled connection is detected long before the timeout. */
const MIN_RATE = 256
