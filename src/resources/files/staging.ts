import { createHash, randomBytes } from 'node:crypto'
import { type Shell, sh } from '../../shell/sh.ts'
import { LONGEST_NAME } from './check-path.ts'

const RANDOM = 8

/** A name in the same directory, which a rename can replace the path from; a leading dot keeps it out of `*.conf`. */
export function stagingPath(path: string): string {
  return stem(path) + randomBytes(RANDOM / 2).toString('hex')
}

/** Takes away what a crash of the host, or a kill of its shell, has left beside the path. No other run is at work on the host. */
export function removeStrayFiles(path: string): Shell {
  return sh`for stray in ${stem(path)}????????; do [ ! -e "$stray" ] && [ ! -L "$stray" ] || rm -f -- "$stray" || exit; done`
}

/**
 * Puts what is staged in the place of the path. A link that leads to the file which it is to replace is one file with it to mv, which
 * refuses; so that file goes first.
 */
export function moveInto(at: string | Shell, path: string | Shell): Shell {
  return sh`{ [ ! ${at} -ef ${path} ] || [ -L ${path} ] || rm -f -- ${path}; } && mv -fT -- ${at} ${path}`
}

/**
 * Says why nothing can be written at a path, where something could not: dash's printf and some filters do not. Says nothing when it can.
 */
export function showWriteError(at: string | Shell): Shell {
  return sh`dd if=/dev/zero of=${at} bs=64k count=1 conv=fsync status=none`
}

export function directoryOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/'
}

/** Creates a directory, and those above it, unless it is there. */
export function ensureDirectory(directory: string): Shell {
  return sh`{ [ -d ${directory} ] || (umask 022; mkdir -p ${directory}); }`
}

export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

function stem(path: string): string {
  const cut = path.lastIndexOf('/') + 1
  const mark = '.provision-'
  return `${path.slice(0, cut)}.${shortened(path.slice(cut), LONGEST_NAME - 1 - mark.length - RANDOM)}${mark}`
}

/** Another name for each name: two long ones may differ at their ends alone. */
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
