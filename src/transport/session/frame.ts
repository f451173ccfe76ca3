import { quote, type Shell } from '../../shell/sh.ts'

/** One script as text for the session's shell, which calls functions that the opening has defined. */
export interface Frame {
  readonly id: number
  readonly script: Shell
  /** Runs in its own session and process group instead of a subshell. */
  readonly isolated: boolean
  /** Runs in one subshell with adjacent shared frames: see {@link encodeShared}. */
  readonly shared: boolean
  /** Its standard input: nothing, these bytes, or a number of bytes that follow when the host is ready for them. */
  readonly input: Uint8Array | { readonly follows: number } | undefined
  readonly as: string | undefined
  /** A question: it ends with the shell if the connection is lost. */
  readonly asks: boolean
  /** Reports its process before it starts, so that it can be killed. */
  readonly reportsStart: boolean
  /** An isolated script with a command `say`, whose lines are reported while it runs. */
  readonly reportsProgress: boolean
  /** Its failure makes the shell skip the later frames of its trip. */
  readonly stopsTrip: boolean
  /** Unguessable and unique part of file names on the host. */
  readonly nonce: string
}

/** The session's random token, and the program that runs its isolated scripts. */
export interface Dialect {
  readonly token: string
  readonly shell: string
}

/** Starts a trip: none of its frames has failed, and the shell is ours. */
export const TRIP = '_s=$_x\n'

/** Ends an input. Without it the script is killed, so that it cannot take a truncated input for the whole. */
export const TRAILER = 'ok\n'

/** Bytes of an input that the host reads at once. */
export const BLOCK = 65_536

/** Written to stderr if the start of the opening has not arrived. */
export const CUT = 'the start of the input is missing'

/** The frame as one compound command: the shell runs nothing of a truncated text. */
export function encode(frame: Frame, { token, shell }: Dialect): Buffer {
  const body = frame.isolated ? isolated(frame, shell) : inline(frame)
  const stopText = frame.stopsTrip ? '; [ $_r = 0 ] || _s=' : ''
  const text = `if [ "$_s" = ${token} ]; then ${body}; _e ${frame.id} $_r${stopText}; else _e ${frame.id} skip; fi\n`
  // Each character is one byte: an input need not be text.
  return Buffer.from(text, 'latin1')
}

/**
 * Shared frames as one compound command, which runs them all in one subshell. If one ends the subshell, it and those after it get its
 * status, and 125 instead of 0: they have no answer. Frames that have ended before are reported twice; the second report is ignored.
 */
export function encodeShared(frames: readonly Frame[], { token }: Dialect): Buffer {
  const each = frames.map((frame) => {
    const stopText = frame.stopsTrip ? '; [ $_r = 0 ] || _s=' : ''
    const run = `${start(frame)}eval ${script(frame)}; _r=$?; _e ${frame.id} $_r${stopText}`
    return `if [ "$_s" = ${token} ]; then ${run}; else _e ${frame.id} skip; fi`
  })
  const all = (status: string) => frames.map(({ id }) => `_e ${id} ${status}`).join('; ')
  const failed = frames.some(({ stopsTrip }) => stopsTrip) ? `[ "$_s" ] || exit ${FAILED}; ` : ''
  const subshell = `(${each.join('; ')}; ${failed}exit ${ENDED}) </dev/null 9>&-; _r=$?`
  const ended = `case $_r in ${ENDED}) ;; ${FAILED}) _s= ;; *) [ $_r != 0 ] || _r=125; ${failed && '_s=; '}${all('$_r')}; esac`
  return Buffer.from(`if [ "$_s" = ${token} ]; then ${subshell}; ${ended}; else ${all('skip')}; fi\n`, 'latin1')
}

/** Exit statuses of the subshell of shared frames: all have run; one with `stopsTrip` failed and those after it were skipped. */
const ENDED = 113

const FAILED = 114

function inline(frame: Frame): string {
  const run = `(${start(frame)}eval ${script(frame)})`
  return frame.input ? fed(frame, run) : `${run} </dev/null 9>&-; _r=$?`
}

/**
 * Sends the script through a pipe to its own shell, and its output to two unlinked files that nothing else writes to. So it can kill its
 * process group, close descriptors and leave writers behind, and goes on if the connection is lost. (`setsid -w` is not needed, and
 * busybox has none: a child of a shell without job control leads no group.)
 */
function isolated(frame: Frame, shell: string): string {
  const out = `"$_d/provision.${frame.nonce}.out"`
  const err = `"$_d/provision.${frame.nonce}.err"`
  const text = quote(
    `${frame.reportsProgress ? SAY : ''}eval ${script(frame)} ${frame.input ? '<&3 3<&-' : '</dev/null'}`,
  )
  const outputs = frame.reportsProgress ? '4>&1 >&5 2>&6' : '>&5 2>&6 4>&-'
  const child = `{ ${start(frame)}${program(frame, shell)} ${outputs} 5>&- 6>&- 7<&- 8<&-; }`
  const silent = `printf %s ${text} | ${child}`
  const run = frame.reportsProgress ? withProgress(frame, silent) : silent
  const whole = frame.input ? fed(frame, `{ ${run}; } 3<&0`) : `${run}; _r=$?`
  const body = `rm -f ${out} ${err}; ${whole}; ${copy(7)}; ${copy(8)} >&4; ${ROOM}`
  // bash writes the text of a killed command to its own stderr, which is therefore closed meanwhile.
  const files = `5>>${out} 6>>${err} 7<${out} 8<${err} 4>&2 2>/dev/null 9>&-`
  const kept = `{ ${body}; } ${files}; [ $_r != 125 ] || rm -f ${out} ${err}`
  return `${knowsUsers(frame)}_r=125; _o ${frame.nonce}; if [ "$_d" ]; then ${kept}; else ${NO_ROOM}; fi`
}

/** The output of a failed script may be incomplete. */
const ROOM = `[ $_r = 0 ] || printf %4096s x >&5 || echo "No space left on device: what the script wrote to $_d may be incomplete" >&4`

const NO_ROOM = `echo 'No space left on device: there is no room in /run, /dev/shm, /tmp and /var/tmp for the output of the script, so it was not run' >&2`

/**
 * Sends the lines of `say` through a pipe to a reader that ends with the script, even if a process that the script left behind holds the
 * other end.
 */
function withProgress({ id, nonce }: Frame, run: string): string {
  return `{ ${run}; printf '%s %s\\n' ${nonce} $?; } | _l ${id} ${nonce}`
}

/** In a subshell, so that a closed pipe kills nothing else. */
const SAY = 'say(){ (printf "%s\\n" "$*" >&4) 2>/dev/null||:;};'

/** A pipeline that gives the input to the reader. Bytes that the reader leaves are discarded, else the shell would run them as text. */
function fed({ id, input }: Frame, reader: string): string {
  if (input instanceof Uint8Array) return `${payload(input)} | ${reader} 9>&-; _r=$?`
  const bytes = input?.follows ?? 0
  const feed = `_f ${Math.floor(bytes / BLOCK)} ${bytes % BLOCK} 9>&-`
  return `if _g; then _m r ${id} ${bytes}; ${feed} | { ${reader}; _r=$?; cat >/dev/null; exit $_r; } 9>&-; _r=$?; else _r=126; fi`
}

function start({ id, reportsStart, asks, isolated }: Frame): string {
  // Without its own session it is found as a child of the shell.
  return `${reportsStart ? `_p ${id}; ` : ''}${asks && isolated ? '_i=; ' : ''}umask 022; `
}

function script({ script: { text } }: Frame): string {
  return quote(Buffer.from(text).toString('latin1'))
}

function program({ as }: Frame, shell: string): string {
  return as === undefined ? `exec $_i ${shell}` : `_u ${quote(as)} ~${as} ${shell}`
}

/** Sets `$_v` if there is a setpriv that is not busybox's, which cannot change the user. */
function knowsUsers({ as }: Frame): string {
  if (as === undefined) return ''
  const own = '[ -x $_n ] && ! [ $_n -ef /bin/busybox ] && ! [ $_n -ef /usr/bin/busybox ]'
  return `[ "$_v" ] || for _n in /usr/bin/setpriv /bin/setpriv; do if ${own}; then _v=1; break; fi; done; `
}

/** Copies a file to stdout, without a process if it is empty. */
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

/** A message of the host between the outputs of scripts. */
export interface Mark {
  /** `h`: hello, `p`: a frame's process, `r`: ready for a frame's input, `s`: a line of `say`, `e`: a frame's end. */
  readonly kind: string
  readonly frame: number
  readonly value: string
  /** The output since the last hello or end, for a mark of these kinds. */
  readonly body: Buffer
}

/** Splits one output stream of a session's shell at its marks. Reads each byte once, however the stream is chunked. */
export class Splitter {
  readonly #mark: Buffer
  #parts: Buffer[] = []
  /** The possible start of a mark. */
  #rest: Buffer = Buffer.alloc(0)

  constructor(token: string) {
    this.#mark = Buffer.from(`\x01${token} `)
  }

  push(chunk: Buffer): readonly Mark[] {
    const marks: Mark[] = []
    let data = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk
    for (;;) {
      const at = data.indexOf(this.#mark)
      const end = at < 0 ? -1 : data.indexOf(NEWLINE, at)
      if (end < 0) {
        const complete = at < 0 ? this.#incomplete(data) : at
        this.#keep(data.subarray(0, complete))
        this.#rest = data.subarray(complete)
        return marks
      }
      this.#keep(data.subarray(0, at))
      marks.push(this.#read(data.toString('utf8', at + this.#mark.length, end)))
      data = data.subarray(end + 1)
    }
  }

  /** The output since the last mark, for a shell that has ended. */
  remainder(): Buffer {
    return Buffer.concat([...this.#parts, this.#rest])
  }

  /** The index of a mark that may be incomplete. */
  #incomplete(data: Buffer): number {
    const at = data.indexOf(START, Math.max(0, data.length - this.#mark.length))
    return at < 0 ? data.length : at
  }

  #keep(part: Buffer): void {
    if (part.length > 0) this.#parts.push(part)
  }

  #read(line: string): Mark {
    const [, kind = '', frame, value = ''] = /^(\w) (\d+) ?(.*)$/.exec(line) ?? []
    const ends = kind === 'e' || kind === 'h'
    const body = ends ? this.#take() : NOTHING
    return { kind, frame: Number(frame), value, body }
  }

  #take(): Buffer {
    const [first = NOTHING, ...others] = this.#parts
    this.#parts = []
    return others.length === 0 ? first : Buffer.concat([first, ...others])
  }
}

const START = 0x01
const NEWLINE = 0x0a
const NOTHING = Buffer.alloc(0)
