import { Shell, sh } from '../../shell/sh.ts'

/** A process on a host. An id alone is given to another process some day; together with the start it is this one's for ever. */
export interface ProcessId {
  readonly pid: number
  /** In the kernel's ticks since it booted. */
  readonly started: string
}

/**
 * `_q PID` reads about a process: `$_a` its id, `$_b` its parent's, `$_c` when it started. `_q self` means the one that asks, be
 * it a subshell: the shell itself opens the file. `$_j` is its session.
 */
export const LOOK = `_q(){ read -r _t <"/proc/$1/stat" || return; _a=\${_t%% *}; set -- \${_t##*") "}; _b=$2 _j=$4 _c=\${20}; }`

/** `_k PID` stops a process and all below it, from the top (else it would run on without its children), and lists them in `$_l`. */
export const STOP = `_k(){ kill -STOP $1 || return; _l="$_l $1"; for _t in $(cat /proc/$1/task/*/children); do _k $_t; done; }`

/** Kills a process with all that it started, if it is still the same one; what it left in its process group as well. */
export function killTree({ pid, started }: ProcessId): Shell {
  return sh`${Shell.raw(`${LOOK}\n${STOP}`)}
_q ${pid}; [ "$_c" = ${started} ] || exit 0
_l=; _k ${pid}; kill -KILL $_l; kill -KILL -${pid}; exit 0
`
}
