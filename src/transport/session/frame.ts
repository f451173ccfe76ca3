import { quote } from '../../shell/quote.ts'
import type { Shell } from '../../shell/sh.ts'

/** One script on its way to the session's shell, where `opening` has defined the functions that its text calls. */
export interface Frame {
  readonly id: number
  readonly script: Shell
  /** In a session and process group of its own, instead of a subshell. */
  readonly isolated: boolean
  /** In one subshell with the shared frames beside it: see {@link encodeShared}. */
  readonly shared: boolean
  /** What it reads: nothing, these bytes, or so many bytes that follow once the host has said that it is ready for them. */
  readonly input: Uint8Array | { readonly follows: number } | undefined
  readonly as: string | undefined
  /** A question: it ends with the shell when nobody is there any more for the answer. */
  readonly asks: boolean
  /** Says which process it is before it starts, so that it can be killed. */
  readonly announced: boolean
  /** An isolated script with the command `say`, whose lines we pass on as marks while it runs. */
  readonly says: boolean
  /** Keeps the later frames of its trip from running when it fails. */
  readonly decisive: boolean
  /** A part of file names on the host: nobody can guess it, no other frame has it. */
  readonly nonce: string
}

/** Who speaks: the session's random token, and the program that its isolated scripts run in. */
export interface Dialect {
  readonly token: string
  readonly shell: string
}

/** Goes before the frames of a trip: none of them has failed yet, and the shell is ours. */
export const TRIP = '_s=$_x\n'

/** What comes after the bytes of an input: without it the script is killed, lest it takes a cut-off input for the whole. */
export const TRAILER = 'ok\n'

/** How many bytes of an input the host reads at once. */
export const BLOCK = 65_536

/** The frame as one compound command: of a text that was cut off, the shell runs nothing. */
export function encode(frame: Frame, { token, shell }: Dialect): Buffer {
  const body = frame.isolated ? isolated(frame, shell) : inline(frame)
  const verdict = frame.decisive ? '; [ $_r = 0 ] || _s=' : ''
  const text = `if [ "$_s" = ${token} ]; then ${body}; _e ${frame.id} $_r${verdict}; else _e ${frame.id} skip; fi\n`
  // Each character is a byte here: those of an input need not be text.
  return Buffer.from(text, 'latin1')
}

/**
 * Frames of our own text that leave the shell as they found it, as one compound command: one subshell runs them all. Where one ends the
 * subshell, it and those behind it get its status, and 125 in place of 0: they have no answer. Frames that have ended by then are told
 * twice, and the second time counts for nothing.
 */
export function encodeShared(frames: readonly Frame[], { token }: Dialect): Buffer {
  const each = frames.map((frame) => {
    const verdict = frame.decisive ? '; [ $_r = 0 ] || _s=' : ''
    const run = `${start(frame)}eval ${script(frame)}; _r=$?; _e ${frame.id} $_r${verdict}`
    return `if [ "$_s" = ${token} ]; then ${run}; else _e ${frame.id} skip; fi`
  })
  const all = (status: string) => frames.map(({ id }) => `_e ${id} ${status}`).join('; ')
  const failed = frames.some(({ decisive }) => decisive) ? `[ "$_s" ] || exit ${FAILED}; ` : ''
  const subshell = `(${each.join('; ')}; ${failed}exit ${ENDED}) </dev/null 9>&-; _r=$?`
  const ended = `case $_r in ${ENDED}) ;; ${FAILED}) _s= ;; *) [ $_r != 0 ] || _r=125; ${failed && '_s=; '}${all('$_r')}; esac`
  return Buffer.from(
    `if [ "$_s" = ${token} ]; then ${subshell}; ${ended}; else ${all('skip')}; fi\n`,
    'latin1',
  )
}

/** Exit statuses of the subshell of shared frames: all were run; a decisive one failed, and those behind it were told to be skipped. */
const ENDED = 113

const FAILED = 114

function inline(frame: Frame): string {
  const run = `(${start(frame)}eval ${script(frame)})`
  return frame.input ? fed(frame, run) : `${run} </dev/null 9>&-; _r=$?`
}

/**
 * The script goes over a pipe to a shell of its own, its output to two files that nothing else will ever write to and that have
 * no name by then: so it can kill its process group, close what it likes and leave writers behind, and what it began goes on
 * when we are gone. (`setsid -w` is not needed, and busybox has none: a child of a shell without job control leads no group.)
 */
function isolated(frame: Frame, shell: string): string {
  const out = `"$_d/provision.${frame.nonce}.out"`
  const err = `"$_d/provision.${frame.nonce}.err"`
  const text = quote(
    `${frame.says ? SAY : ''}eval ${script(frame)} ${frame.input ? '<&3 3<&-' : '</dev/null'}`,
  )
  const outputs = frame.says ? '4>&1 >&5 2>&6' : '>&5 2>&6 4>&-'
  const child = `{ ${start(frame)}${program(frame, shell)} ${outputs} 5>&- 6>&- 7<&- 8<&-; }`
  const silent = `printf %s ${text} | ${child}`
  const run = frame.says ? heard(frame, silent) : silent
  const whole = frame.input ? fed(frame, `{ ${run}; } 3<&0`) : `${run}; _r=$?`
  const body = `rm -f ${out} ${err}; ${whole}; ${copy(7)}; ${copy(8)} >&4; ${ROOM}`
  // bash writes the text of a command that was killed to its own stderr, so that one is away meanwhile.
  const files = `5>>${out} 6>>${err} 7<${out} 8<${err} 4>&2 2>/dev/null 9>&-`
  const kept = `{ ${body}; } ${files}; [ $_r != 125 ] || rm -f ${out} ${err}`
  return `${knowsUsers(frame)}_r=125; _o ${frame.nonce}; if [ "$_d" ]; then ${kept}; else ${NO_ROOM}; fi`
}

/** A script that failed may have lost its own words. */
const ROOM = `[ $_r = 0 ] || printf %4096s x >&5 || echo "No space left on device: what the script wrote to $_d may be incomplete" >&4`

const NO_ROOM = `echo 'No space left on device: there is no room in /run, /dev/shm, /tmp and /var/tmp for the output of the script, so it was not run' >&2`

/**
 * What it says goes through a pipe of its own to a reader that ends with the script, whoever still holds the other end: so what
 * a script leaves behind can neither speak to us nor keep us waiting.
 */
function heard({ id, nonce }: Frame, run: string): string {
  return `{ ${run}; printf '%s %s\\n' ${nonce} $?; } | _l ${id} ${nonce}`
}

/** In a subshell, which alone dies of it when nobody listens any more. */
const SAY = 'say(){ (printf "%s\\n" "$*" >&4) 2>/dev/null||:;};'

/** A pipeline that gives the input to the reader. What the reader leaves is read off, or it would be taken for our next text. */
function fed({ id, input }: Frame, reader: string): string {
  if (input instanceof Uint8Array) return `${payload(input)} | ${reader} 9>&-; _r=$?`
  const bytes = input?.follows ?? 0
  const feed = `_f ${Math.floor(bytes / BLOCK)} ${bytes % BLOCK} 9>&-`
  return `if _g; then _m r ${id} ${bytes}; ${feed} | { ${reader}; _r=$?; cat >/dev/null; exit $_r; } 9>&-; _r=$?; else _r=126; fi`
}

function start({ id, announced, asks, isolated }: Frame): string {
  // Without a session of its own it is found as a child of the shell.
  return `${announced ? `_p ${id}; ` : ''}${asks && isolated ? '_i=; ' : ''}umask 022; `
}

function script({ script: { text } }: Frame): string {
  return quote(Buffer.from(text).toString('latin1'))
}

function program({ as }: Frame, shell: string): string {
  return as === undefined ? `exec $_i ${shell}` : `_u ${quote(as)} ~${as} ${shell}`
}

/** Whether there is a setpriv, and it is not busybox's, which cannot become a user. */
function knowsUsers({ as }: Frame): string {
  if (as === undefined) return ''
  const own = '[ -x $_n ] && ! [ $_n -ef /bin/busybox ] && ! [ $_n -ef /usr/bin/busybox ]'
  return `[ "$_v" ] || for _n in /usr/bin/setpriv /bin/setpriv; do if ${own}; then _v=1; break; fi; done; `
}

/** To stdout, what was written to a file; without a process when that is nothing. */
function copy(descriptor: number): string {
  const file = `/proc/self/fd/${descriptor}`
  return `{ [ -e ${file} ] && ! [ -s ${file} ] || cat <&${descriptor}; }`
}

/**
 * A command of the shell itself that writes exactly these bytes. As `printf` is built into every sh we meet, the bytes show up
 * in no process list.
 */
export function payload(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString('latin1')
  return `printf '${text.replace(SPECIAL, (c) => ESCAPES[c] ?? c).replace(/^-/, '\\055')}'`
}

/** The format's own characters, the one that ends the quotes, and the one that no shell can hold. */
const SPECIAL = /[\0%\\']/g

const ESCAPES: Readonly<Record<string, string>> = { '\0': '\\000', '%': '%%', '\\': '\\\\', "'": '\\047' }
