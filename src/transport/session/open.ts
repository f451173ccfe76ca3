import { randomBytes } from 'node:crypto'
import { Clock, DEFAULTS, type ScriptLimits } from '../clock.ts'
import type { Connection } from '../transport.ts'
import { challenge, startShell } from './become.ts'
import { BLOCK, CUT, type Dialect } from './frame.ts'
import { type Lock, lockScript } from './lock.ts'
import { LOOK, STOP } from './process-tree.ts'
import type { Become, Session } from './session.ts'
import { ShellSession } from './shell-session.ts'

export interface SessionOptions {
  /** The host's name, for messages. */
  readonly host: string
  /** @default the login user */
  readonly become?: Become
  /** Taken with the opening, released when the session ends for any reason. @default none, for runs that only read */
  readonly lock?: Lock
  /** The program that reads our scripts; it must be a POSIX shell. @default 'sh' */
  readonly shell?: string
  /** Milliseconds to wait for the shell, or for the answer to a password. @default 60 seconds */
  readonly timeout?: number
  /** Multiplies the timeouts of scripts; scripts read it as `PROVISION_TIMEOUT_PERCENT`. @default 1 */
  readonly timeoutFactor?: number
  /** Milliseconds; scripts read them as `PROVISION_CONFIRM_SECONDS` and so on. @default the scripts' own */
  readonly limits?: ScriptLimits
  /** Measures the limits. @default a new clock */
  readonly clock?: Clock
}

/**
 * Opens a shell on a host. Returns when the shell was requested, or with a password when it is there. `opened` of the session, or the
 * first trip, reports the host's answer.
 *
 * @throws Problem if a password is rejected
 */
export async function openSession(connection: Connection, options: SessionOptions): Promise<Session> {
  const { host, become = { method: 'none' }, lock, shell = 'sh' } = options
  const { timeout = DEFAULTS.shell, timeoutFactor = 1, limits = {}, clock = new Clock() } = options
  const start = () => startShell(connection, { host, become, shell, timeout, clock })
  const dialect = { token: randomBytes(12).toString('hex'), shell }
  const proof = challenge(become)
  const { keepaliveInterval } = connection
  const checks = [
    ...(become.method === 'sudo' ? [INPUT_LOGGED] : []),
    ...(lock ? [lockScript({ ...lock, ...(keepaliveInterval !== undefined && { keepaliveInterval }) })] : []),
  ]
  const seconds = Object.entries(limits).map(
    ([name, limit]) => [`PROVISION_${name.toUpperCase()}_SECONDS`, Math.max(1, Math.ceil(limit / 1000))] as const,
  )
  const exported = {
    PROVISION_TIMEOUT_PERCENT: Math.max(1, Math.round(100 * timeoutFactor)),
    ...Object.fromEntries(seconds),
  }
  return new ShellSession({
    ...{ connection, host, become, timeout, timeoutFactor, clock, dialect },
    shell: await start(),
    challenge: proof,
    opening: opening(dialect, { proof: proof.text, checks, exported }),
    startShell: start,
  })
}

/** A sudo with log_input writes all its input to the host's disk, secrets too. It is off by default. */
const INPUT_LOGGED = `[ -z "$SUDO_UID" ] || ! grep -qrsE '(^|[^!a-z_])(log_input|log_stdin|LOG_INPUT)' /etc/sudoers /etc/sudoers.d || _w=logged`

interface OpeningParts {
  /** Puts the answer to the challenge into `$_y`, or `not NAME`, which ends the shell. */
  readonly proof: string
  readonly checks: readonly string[]
  /** Numbers for the environment of all scripts. */
  readonly exported: Readonly<Record<string, number>>
}

/**
 * The text that prepares a POSIX shell for frames: a defined environment, and the functions that frames call. A check may end the shell
 * after `_h WORD…`, which gives the reason. If all pass, the shell answers `_h ok` with its process id, the proof and warnings.
 */
export function opening({ token }: Dialect, { proof, checks, exported }: OpeningParts): string {
  return [
    `_x=${token}`,
    'LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin; export LC_ALL PATH; umask 077; cd /',
    ...Object.entries(exported).map(([name, value]) => `export ${name}=${value}`),
    // Writes a mark. If the connection is lost, nothing more is run.
    `_m(){ printf '\\001${token} %s %s %s\\n' "$@" || exit; }`,
    '_e(){ _m e "$@"; _m e "$@" >&2; }',
    '_h(){ _m h 0 "$*"; _m h 0 "$*" >&2; }',
    // A login script that reads stdin would swallow the start.
    `[ "$_x" = ${token} ] || { echo '${CUT}' >&2; exit 1; }`,
    proof,
    'case $_y in not*) _h $_y; exit 77;; esac',
    '_p(){ _q self; _m p "$1" "$_a.$_c"; }',
    // Takes effect when the running script has ended.
    "trap '_s=' USR1",
    PROGRESS,
    LOOK,
    STOP,
    FEED,
    BECOME,
    'command -v setsid >/dev/null && _i=setsid || _i=',
    OUTPUTS,
    ...checks,
    '_h ok $$ "$_y" $_w',
    '',
  ].join('\n')
}

/**
 * `_f BLOCKS BYTES` copies exactly so many blocks and bytes of stdin; `head -c` of busybox and uutils would read more. `_g` checks first
 * that dd supports it. If the connection breaks meanwhile, the reader is killed before it sees an end of file. It is a sibling in the
 * pipeline and is found through the parent.
 */
const FEED = `_g(){ [ "$_z" ] || { dd count=0 iflag=fullblock </dev/null 2>/dev/null && _z=1; }; }
_f(){ dd bs=${BLOCK} count=$1 iflag=fullblock; [ $2 = 0 ] || dd bs=$2 count=1 iflag=fullblock
read -r _t && [ "$_t" = ok ] && return; _q self; _l=
for _n in $(cat /proc/$_b/task/$_b/children); do [ $_n = $_a ] || _k $_n; done; kill -KILL $_l; } 2>/dev/null`

/** `_l FRAME NONCE` forwards the lines of `say` as marks, up to the line with the nonce, which has the status. */
const PROGRESS = `_l(){ while IFS= read -r _t; do case $_t in "$2 "*) return \${_t#* };; ?"$_x "*) printf '%s\\n' "$_t" || exit;;
*) _m s $1 "$_t";; esac; done; return 137; }`

/** Directories for the output of isolated scripts. */
const OUTPUT_DIRECTORIES = ['/run', '/dev/shm', '/tmp', '/var/tmp'] as const

/**
 * `_o NONCE` creates the two output files of an isolated script in the first directory `$_d` that has room for 64 KiB, starting with the
 * last one used. `$_d` is empty if none has.
 */
const OUTPUTS = `_d=
_o(){ for _d in $_d ${OUTPUT_DIRECTORIES.join(' ')}; do { printf %65536s x >$_d/provision.$1.out && : >$_d/provision.$1.out && : >$_d/provision.$1.err; } 2>/dev/null && return
rm -f $_d/provision.$1.out $_d/provision.$1.err; done; _d=; }`

/** `_u USER HOME SHELL…` becomes a user, by the fastest available way. `$_v` is empty for busybox's setpriv, which cannot. */
const BECOME = `_u(){ _t=$1 HOME=$2; shift 2
case $HOME in /*) ;; *) echo "there is no user $_t on this host"; exit 1;; esac >&2
export HOME USER=$_t LOGNAME=$_t SHELL=/bin/sh; unset XDG_RUNTIME_DIR DBUS_SESSION_BUS_ADDRESS MAIL
if [ "$_v" ]; then
while IFS=: read -r _n _a _a _k _a; do [ "$_n" != "$_t" ] || break; done 2>/dev/null </etc/passwd; [ "$_n" = "$_t" ] || _k=$(id -g $_t)
exec $_i setpriv --reuid $_t --regid "$_k" --init-groups -- "$@"
fi
command -v runuser >/dev/null && exec $_i runuser -u $_t -- "$@"
exec $_i su -s /bin/sh $_t; }`
