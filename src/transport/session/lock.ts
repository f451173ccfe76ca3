import { Problem, type ProblemParts } from '../../model/problem.ts'
import { quote } from '../../shell/quote.ts'

/** Who holds a host while it changes it. */
export interface Lock {
  /** Who others should be told of: `ana@laptop (pid 4711)`. */
  readonly owner: string
  /** @default now */
  readonly since?: Date
  /** Milliseconds after which its host hears of the owner again at the latest. @default unknown, and nobody takes it for dead */
  readonly keepaliveInterval?: number
  /** Milliseconds for which another holder must be silent to be taken for dead; ten of its beats at least. @default 30_000 */
  readonly silence?: number
}

/**
 * The part of the opening that takes the host's lock: `flock` on descriptor 9 of the session's shell, which no script inherits.
 * So it is free when that shell is gone, whatever became of us; the file stays, for the next. Who is not root has one of his own.
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
 * `_u9` finds the process through which the shell is connected: the nearest one above it that is neither a shell nor a way to become
 * another user. That is sshd's own process for the connection, or the program that runs a local shell.
 *
 * `_y PID SINCE BEAT@PROCESS.START…` ends a holder whose connection is gone: that process is not there any more. Its questions, which run
 * in the session of its shell, are killed with it. A command has a session of its own, and comes to its end first.
 */
const GONE = `_u9(){ _q self; while _q $_b 2>/dev/null; do read -r _n </proc/$_a/comm || return 0; case $_n in sudo|su|doas|*sh|busybox|setpriv|runuser) :;; *) return 0;; esac; done; }
_y(){ case $3 in *@*.*) _t9=\${3#*@};; *) return 1;; esac
_q "\${_t9%.*}" && [ "$_c" = "\${_t9#*.}" ] && return 1
set +f; for _t in /proc/$1/fd/*; do [ $_t -ef $_l ] && break; done || return
_q $1 && _m9=$_j _w9= _v9= && _k9 $1 && if [ "$_w9" ]; then kill -CONT $_v9; else kill -KILL $_v9; fi; } 2>/dev/null
_k9(){ kill -STOP $1 || return; _v9="$_v9 $1"; for _t in $(cat /proc/$1/task/*/children); do _q $_t || continue; if [ $_j = $_m9 ]; then _k9 $_a; else _w9=1; fi; done; :; }`

/**
 * `_z PID SINCE BEAT OWNER… SILENCE` ends the connection of a holder that is dead: sshd hears nothing of a client that was cut off,
 * often for hours. The shell then ends when what runs on it has come to its end, as with a client that was killed. One that merely
 * waits is told from it by the beats that it promised, and by the kernel's acknowledgements of what it is being sent. It has to be
 * the true holder and its nearest sshd, lest we end somebody else's session; where anything is unclear, it is not dead. (The descriptor has another number while a
 * script runs.)
 */
const DEAD = `_z(){ set +f; for _m9 in "$@"; do :; done; _b9=\${3%@*}; [ "$_b9" -gt 0 ] || return
for _t in /proc/$1/fd/*; do [ $_t -ef $_l ] && break; done || return
[ $(($_b9 * 10)) -gt $_m9 ] && _m9=$(($_b9 * 10)); _q "$1" || return
until read -r _n </proc/$_a/comm; case $_n in sshd*) :;; *) false;; esac; do [ "$_b" -gt 1 ] && _q $_b || return; done
ss -tinpOH state established | awk -v p="pid=$_a," -v m=$_m9 'index($0, p) { n++; r = a = $0
if (!sub(/.* lastrcv:/, "", r) || r + 0 <= m || !sub(/.* lastack:/, "", a) || a + 0 <= m) l = 1 } END { exit !n || l }' && kill $_a; } 2>/dev/null`

/** Another run holds the lock of the host, or its last command still runs. The lock becomes free when that ends. */
export class HostLocked extends Problem {
  /** Owner and time: `ana@laptop (pid 4711) since 2026-05-04 03:02:01`. */
  readonly holder: string

  constructor(what: string, { holder, ...parts }: ProblemParts & { readonly holder: string }) {
    super(what, parts)
    this.holder = holder
  }
}

/** Why a host cannot be locked, out of what its shell said to {@link lockScript}. */
export function lockError(host: string, said: string): Problem {
  const [word, ...rest] = said.split(' ')
  if (word === 'unlockable')
    return new Problem(`cannot write ${rest.join(' ')} on ${host}, which would lock it`, {
      next: `See \`ls -l ${rest.join(' ')}; df /run /tmp\` there: it may be a link or another user's, or the disk full or read-only`,
    })
  if (word === 'flockless') return new Problem(`there is no flock on ${host}`, { next: 'Install util-linux' })
  return word === 'ending' ? ending(host, rest) : held(host, rest)
}

function held(host: string, line: readonly string[]): HostLocked {
  return new HostLocked(`${host} is held by ${holder(line)}`, {
    holder: holder(line),
    next: `Wait for it to end, or give --wait. A run that died lets go by itself; one whose connection hangs is ended on ${host} by \`kill ${line[0] || 'PID'}\``,
  })
}

function ending(host: string, line: readonly string[]): HostLocked {
  return new HostLocked(`${host} is still at work for ${holder(line)}`, {
    holder: holder(line),
    details: ['its connection was dead, and was ended just now'],
    next: 'Run again when the command that it has begun there has come to its end.',
  })
}

function holder([, since = '', , ...owner]: readonly string[]): string {
  const time = Number.isNaN(Date.parse(since)) ? '' : ` since ${new Date(since).toLocaleString('sv')}`
  return `${owner.join(' ') || 'another run'}${time}`
}
