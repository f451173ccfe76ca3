import { type Shell, sh } from './sh.ts'

/** Writes the names in a directory, a line each, without those that begin with a dot. It takes no process. */
export function namesIn(directory: string): Shell {
  return sh`for path in ${directory}/*; do [ ! -e "$path" ] || printf '%s\n' "\${path##*/}"; done`
}
