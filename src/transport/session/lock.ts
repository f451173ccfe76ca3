import { setTimeout as sleep } from 'node:timers/promises'
import type { RunEvent } from '../../model/event.ts'
import { Problem, type ProblemParts } from '../../model/problem.ts'
import { elapsed } from '../../shell/duration.ts'
import { quote } from '../../shell/sh.ts'

/** The lock that a run holds on a host. */
export interface Lock {
  /** Shown to others: `ana@laptop (pid 4711)`. */
  readonly owner: string
  /** @default now */
  readonly since?: Date
  /** Milliseconds between two keepalive messages of the owner. @default unknown; the owner is never considered dead */
  readonly keepaliveInterval?: number
  /** Milliseconds of silence after which another holder is considered dead; at least ten of its keepalive intervals. @default 30_000 */
  readonly silence?: number
}

/**
 * The part of the opening that takes the host's lock: `flock` on descriptor 9 of the session's shell, which no script inherits. So it is
 * released when that shell ends, for any reason. The file stays. Each user other than root has a lock file of its own.
 */
export function lockScript({ owner, since = new Date(), keepaliveInterval, silence = 30_000 }: Lock): string {
  const line = quote(`${owner.replace(/\s+/g, ' ')}`)
  return `[ -w /run ] && _l=/run/provision.lock || _l=/tmp/provision-$(id -u).lock
{ [ ! -L $_l ] && true >>$_l; } 2>/dev/null || { _h unlockable $_l; exit 73; }
exec 9<>$_l
${GONE}
${DEAD}
if flock -n 9; then :
elif ! command -v flock >/dev/null; then _h flockless; exit 69
else _o=; read -r _o <$_l; set -f; _y $_o || _z $_o ${silence} || { set +f; _h held "$_o"; exit 75; }; set +f
flock -w 10 9 || { _h ending "$_o"; exit 75; }; _w="$_w taken"; fi
_u9 && printf '%s ${since.toISOString()} %s %s\\n' $$ ${keepaliveInterval ?? '-'}@$_a.$_c ${line} >$_l`
}

/**
 * `_u9` finds the process of the shell's connection: its nearest ancestor that is neither a shell nor a become method. That is sshd's
 * process for the connection, or the program that runs a local shell.
 *
 * `_y PID SINCE INTERVAL@PROCESS.START…` ends a holder whose connection process has ended. Its questions, which run in the session of its
 * shell, are killed with it. A command has its own session and finishes first.
 */
const GONE = `_u9(){ _q self; while _q $_b 2>/dev/null; do read -r _n </proc/$_a/comm || return 0; case $_n in sudo|su|doas|*sh|busybox|setpriv|runuser) :;; *) return 0;; esac; done; }
_y(){ case $3 in *@*.*) _t9=\${3#*@};; *) return 1;; esac
_q "\${_t9%.*}" && [ "$_c" = "\${_t9#*.}" ] && return 1
set +f; for _t in /proc/$1/fd/*; do [ $_t -ef $_l ] && break; done || return
_q $1 && _m9=$_j _w9= _v9= && _k9 $1 && if [ "$_w9" ]; then kill -CONT $_v9; else kill -KILL $_v9; fi; } 2>/dev/null
_k9(){ kill -STOP $1 || return; _v9="$_v9 $1"; for _t in $(cat /proc/$1/task/*/children); do _q $_t || continue; if [ $_j = $_m9 ]; then _k9 $_a; else _w9=1; fi; done; :; }`

/**
 * `_z PID SINCE INTERVAL OWNER… SILENCE` ends the connection of a dead holder: sshd often notices a client that was cut off only after
 * hours. The shell then ends when its running script has finished. A client that is alive sends keepalive messages, and its kernel
 * acknowledges data. It must be the actual holder and its nearest sshd, so that no other session is ended. In doubt the holder is alive.
 * (The descriptor has another number while a script runs.)
 */
const DEAD = `_z(){ set +f; for _m9 in "$@"; do :; done; _b9=\${3%@*}; [ "$_b9" -gt 0 ] || return
for _t in /proc/$1/fd/*; do [ $_t -ef $_l ] && break; done || return
[ $(($_b9 * 10)) -gt $_m9 ] && _m9=$(($_b9 * 10)); _q "$1" || return
until read -r _n </proc/$_a/comm; case $_n in sshd*) :;; *) false;; esac; do [ "$_b" -gt 1 ] && _q $_b || return; done
ss -tinpOH state established | awk -v p="pid=$_a," -v m=$_m9 'index($0, p) { n++; r = a = $0
if (!sub(/.* lastrcv:/, "", r) || r + 0 <= m || !sub(/.* lastack:/, "", a) || a + 0 <= m) l = 1 } END { exit !n || l }' && kill $_a; } 2>/dev/null`

/** Another run holds the host's lock, or its last command still runs. The lock is released when that ends. */
export class HostLocked extends Problem {
  /** Owner and start: `ana@laptop (pid 4711) since 2026-05-04 03:02:01`. */
  readonly holder: string

  constructor(what: string, { holder, ...parts }: ProblemParts & { readonly holder: string }) {
    super(what, parts)
    this.holder = holder
  }
}

/** The error for the answer of a shell that could not take the lock. */
export function lockError(host: string, answer: string): Problem {
  const [word, ...rest] = answer.split(' ')
  if (word === 'unlockable')
    return new Problem(`Cannot write the lock file ${rest.join(' ')} on ${host}`, {
      next: `See \`ls -l ${rest.join(' ')}; df /run /tmp\` there: it may be a link or another user's, or the disk full or read-only`,
    })
  if (word === 'flockless') return new Problem(`There is no flock on ${host}`, { next: 'Install util-linux' })
  return word === 'ending' ? stillRunning(host, rest) : locked(host, rest)
}

function locked(host: string, line: readonly string[]): HostLocked {
  return new HostLocked(`${host} is locked by ${holder(line)}`, {
    holder: holder(line),
    next: `Wait for it to end, or use --wait. The lock of a killed run is released automatically. To end a run whose connection hangs, on ${host}: \`kill ${line[0] || 'PID'}\``,
  })
}

function stillRunning(host: string, line: readonly string[]): HostLocked {
  return new HostLocked(`${host} still runs a command of ${holder(line)}`, {
    holder: holder(line),
    details: ['its connection was dead and has been ended'],
    next: 'Run again when that command has ended.',
  })
}

function holder([, since = '', , ...owner]: readonly string[]): string {
  const time = Number.isNaN(Date.parse(since)) ? '' : ` since ${new Date(since).toLocaleString('sv')}`
  return `${owner.join(' ') || 'another run'}${time}`
}

interface LockWait {
  /** Milliseconds to wait for the lock of a host; 0 to fail at once. */
  readonly wait: number
  readonly host: string
  readonly emit: (event: RunEvent) => void
  readonly stop: AbortSignal | undefined
}

/**
 * Retries while another run holds the lock of the host, and reports each new holder.
 *
 * @param attempt takes the lock
 * @throws HostLocked after the time, or when the run is stopped
 */
export async function waitForLock<T>(attempt: () => Promise<T>, { wait, host, emit, stop }: LockWait): Promise<T> {
  const began = performance.now()
  let holder: string | undefined
  for (let pause = FIRST_PAUSE; ; pause = Math.min(2 * pause, LONGEST_PAUSE)) {
    try {
      return await attempt()
    } catch (error) {
      const left = wait - (performance.now() - began)
      if (!(error instanceof HostLocked) || left <= 0 || stop?.aborted) throw error
      if (error.holder !== holder)
        emit({ kind: 'waiting', play: '', host, for: `the lock: ${error.message} (at most ${elapsed(wait)})` })
      holder = error.holder
      await sleep(Math.min(pause, left), undefined, stop && { signal: stop }).catch(() => {})
    }
  }
}

/** Milliseconds between two attempts. */
const FIRST_PAUSE = 500
const LONGEST_PAUSE = 5_000
