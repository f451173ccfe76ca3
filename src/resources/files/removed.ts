import { type Shell, sh } from '../../shell/sh.ts'

/** The place for what a run has removed or replaced, in a folder for each moment. */
export const REMOVED = '/var/lib/provision/removed'

const FOLDER = sh`to=${REMOVED}/$(date +%Y%m%dT%H%M%S.%N) && mkdir -p "$to"`

/** Moves a path there. */
export function moveToRemoved(path: string): Shell {
  return sh`umask 077; ${FOLDER} && mv ${path} "$to/"`
}

/** Copies a regular file there; does nothing for anything else. */
export function copyToRemoved(path: string): Shell {
  return sh`{ [ ! -f ${path} ] || [ -L ${path} ] || (umask 077; ${FOLDER} && cp -a ${path} "$to/"); }`
}
