import { type Shell, sh } from '../../shell/sh.ts'
import { BLOCK, type Dialect } from './frame.ts'
import { LOOK, STOP } from './process-tree.ts'

/** Where the outputs of isolated scripts are kept while they run. */
const OUTPUT_DIRECTORIES = ['/run', '/dev/shm', '/tmp', '/var/tmp'] as const

export interface OpeningParts {
  /** Puts the proof of the user into `$_y`, or `not NAME`, after which nothing more is run. */
  readonly proof: string
  readonly checks: readonly string[]
  /** Numbers for the environment of all scripts. */
  readonly exported: Readonly<Record<string, number>>
}

/** Written to stderr when the start of the opening has not arrived. */
export const CUT = 'the start of the input is missing'

/**
 * The text that makes a POSIX shell ready for frames: a known environment, and the functions that their texts call. A part of
 * `checks` may end the shell after `_h WORD…`, which says why; when all is well the shell says `_h ok`, its process id and the proof.
 */
export function opening({ token }: Dialect, { proof, checks, exported }: OpeningParts): string {
  return [
    `_x=${token}`,
    'LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin; export LC_ALL PATH; umask 077; cd /',
    ...Object.entries(exported).map(([name, value]) => `export ${name}=${value}`),
    // A mark. Where nobody listens any more, nothing more is run.
    `_m(){ printf '\\001${token} %s %s %s\\n' "$@" || exit; }`,
    '_e(){ _m e "$@"; _m e "$@" >&2; }',
    '_h(){ _m h 0 "$*"; _m h 0 "$*" >&2; }',
    // A login script that reads stdin takes the start of it.
    `[ "$_x" = ${token} ] || { echo '${CUT}' >&2; exit 1; }`,
    proof,
    'case $_y in not*) _h $_y; exit 77;; esac',
    '_p(){ _q self; _m p "$1" "$_a.$_c"; }',
    // Comes to pass when the script that runs has ended.
    "trap '_s=' USR1",
    HEAR,
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

/** Lets the script that a session's shell runs come to its end, and has it skip the others of the trip. */
export function skipRest(pid: number): Shell {
  return sh`kill -USR1 ${pid}
`
}

/**
 * `_f BLOCKS BYTES` passes on so many blocks and bytes of our stdin, and not one more: `head -c` of busybox and uutils reads on.
 * `_g` tells beforehand whether this dd can. When the connection breaks meanwhile, the reader must not see an end of file and
 * believe that it has everything: it is killed. It is a sibling in the pipeline, so it is found through the parent.
 */
const FEED = `_g(){ [ "$_z" ] || { dd count=0 iflag=fullblock </dev/null 2>/dev/null && _z=1; }; }
_f(){ dd bs=${BLOCK} count=$1 iflag=fullblock; [ $2 = 0 ] || dd bs=$2 count=1 iflag=fullblock
read -r _t && [ "$_t" = ok ] && return; _q self; _l=
for _n in $(cat /proc/$_b/task/$_b/children); do [ $_n = $_a ] || _k $_n; done; kill -KILL $_l; } 2>/dev/null`

/** `_l FRAME NONCE` passes on what a script says, and marks as they are, up to the line with the nonce, which tells its status. */
const HEAR = `_l(){ while IFS= read -r _t; do case $_t in "$2 "*) return \${_t#* };; ?"$_x "*) printf '%s\\n' "$_t" || exit;;
*) _m s $1 "$_t";; esac; done; return 137; }`

/**
 * `_o NONCE` makes the two output files of an isolated script, in the first directory `$_d` that takes 64 KiB. `$_d` is empty where none
 * does. It begins with the directory that was good the last time.
 */
const OUTPUTS = `_d=
_o(){ for _d in $_d ${OUTPUT_DIRECTORIES.join(' ')}; do { printf %65536s x >$_d/provision.$1.out && : >$_d/provision.$1.out && : >$_d/provision.$1.err; } 2>/dev/null && return
rm -f $_d/provision.$1.out $_d/provision.$1.err; done; _d=; }`

/** `_u USER HOME SHELL…` goes on as a user, the cheapest way first; busybox's setpriv cannot, and `$_v` is empty. */
const BECOME = `_u(){ _t=$1 HOME=$2; shift 2
case $HOME in /*) ;; *) echo "there is no user $_t on this host"; exit 1;; esac >&2
export HOME USER=$_t LOGNAME=$_t SHELL=/bin/sh; unset XDG_RUNTIME_DIR DBUS_SESSION_BUS_ADDRESS MAIL
if [ "$_v" ]; then
while IFS=: read -r _n _a _a _k _a; do [ "$_n" != "$_t" ] || break; done 2>/dev/null </etc/passwd; [ "$_n" = "$_t" ] || _k=$(id -g $_t)
exec $_i setpriv --reuid $_t --regid "$_k" --init-groups -- "$@"
fi
command -v runuser >/dev/null && exec $_i runuser -u $_t -- "$@"
exec $_i su -s /bin/sh $_t; }`
