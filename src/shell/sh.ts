import { createHash } from 'node:crypto'

/** A value for a `${}` of {@link sh}. A Secret is not allowed: it would be visible in the process list. */
export type Word = string | number | Shell | readonly (string | number)[]

/**
 * A script for a POSIX shell in which every value is quoted. Created by {@link sh} only.
 *
 * @example const script: Shell = sh`systemctl is-active nginx`
 */
export class Shell {
  readonly text: string
  /** Makes the type nominal: an object with the same fields is not a Shell. */
  declare protected readonly brand: 'shell'

  private constructor(text: string) {
    this.text = text
    Object.freeze(this)
  }

  /** A text that is already shell code. For built-in scripts, never for values. */
  static raw(text: string): Shell {
    return new Shell(text)
  }

  toString(): string {
    return this.text
  }
}

/**
 * Creates a script for the host's shell: each value becomes one quoted word, an array one word for each element; another Shell is inserted
 * unchanged. Backslashes reach the shell as they are written, except those before a backtick or `${`.
 *
 * @example sh`install -d -o ${owner} ${directories}`
 * @throws TypeError for a value in a place where quotes do not protect it, and for undefined, a boolean or a Secret
 */
export function sh({ raw }: TemplateStringsArray, ...values: readonly Word[]): Shell {
  const pieces = raw.map((piece) => piece.replace(/\\(`|\$\{)/g, '$1'))
  let text = pieces[0] ?? ''
  let open = openAfter(text, { open: '', previous: '' })
  values.forEach((value, i) => {
    const next = pieces[i + 1] ?? ''
    const before = text.slice(-60)
    const trouble =
      open !== '' ? PLACES[open] : NAME.test(before) ? 'a value right after a $ would name a variable' : ''
    if (trouble) throw new TypeError(`${trouble}: ${before}\${…}`)
    const put = word(value)
    // `echo 2>file` redirects a descriptor, `echo '2'>file` writes a 2.
    text += (/^\d+$/.test(put) && /^[<>]/.test(next) ? `'${put}'` : put) + next
    open = openAfter(next, { open, previous: put.at(-1) ?? '' })
  })
  return Shell.raw(text)
}

function word(value: Word): string {
  if (value instanceof Shell) return value.text
  if (typeof value === 'string') return quote(value)
  if (typeof value === 'number' && Number.isFinite(value)) return String(value)
  if (Array.isArray(value)) return value.map((part) => word(part)).join(' ')
  throw new TypeError(`sh takes text, numbers and lists of them, not ${kind(value)}`)
}

function kind(value: unknown): string {
  if (value === null || typeof value !== 'object') return String(value)
  return `an object (${value.constructor?.name ?? 'without a class'})`
}

/** The context of a value, by the character that opened it. */
type Open = '' | "'" | '"' | '`' | '#'

const PLACES = {
  "'": 'leave the quotes around a value away, sh puts them',
  '"': 'leave the quotes around a value away, sh puts them',
  '`': 'a value in backticks cannot be quoted, use $( )',
  '#': 'a value in a comment could end it',
} as const

/** A $ that is neither escaped nor the second one of a $$. */
const NAME = /(^|[^\\$])(\\\\)*(\$\$)*\$$/

/** Returns the context after this text. */
function openAfter(text: string, before: { readonly open: Open; readonly previous: string }): Open {
  let { open, previous } = before
  for (let i = 0; i < text.length; i++) {
    const c = text[i]
    if (open === '#') open = c === '\n' ? '' : open
    else if (open === "'") open = c === "'" ? '' : open
    else if (c === '\\') i++
    else if (open !== '') open = c === open ? '' : open
    else if (c === "'" || c === '"' || c === '`') open = c
    else if (c === '#' && /^$|[\s;&|()]/.test(previous)) open = c
    previous = c ?? ''
  }
  return open
}

/** Quotes a text as one word of a POSIX shell's command line. */
export function quote(word: string): string {
  if (word.includes('\0')) throw new TypeError('a word of a command cannot hold a NUL character')
  return PLAIN.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}

/** Words without special meaning in any shell. A tilde or `=` has one in some places. */
const PLAIN =
  /^(?!(?:case|do|done|elif|else|esac|fi|for|function|if|in|select|then|time|until|while)$)[A-Za-z0-9_./:@%+,-]+$/

/** Bytes of arguments for one program. Less than the 128 KiB that Linux guarantees, whatever the limits of the user: see execve(2). */
const MOST = 96 * 1024

/** Bytes of the pointer to a word, and of the NUL at its end. */
const EXTRA = 9

/** PATH_MAX in bytes: no file has a longer path. */
const LONGEST_PATH = 4096

/** Returns one command for all these paths, or several if they are too many for one; none without paths. */
export function forPaths(paths: readonly string[], command: (part: readonly string[]) => Shell): Shell {
  const parts: string[][] = []
  let size = MOST
  for (const path of possible(paths)) {
    const length = Buffer.byteLength(path) + EXTRA
    if (size + length > MOST) {
      parts.push([])
      size = 0
    }
    parts.at(-1)?.push(path)
    size += length
  }
  return parts.length === 0 ? sh`:` : joinLines(parts.map(command))
}

/** Removes duplicates, and paths that are too long to exist. */
export function possible(paths: readonly string[]): readonly string[] {
  return [...new Set(paths)].filter((path) => Buffer.byteLength(path) < LONGEST_PATH)
}

/** Joins scripts, one per line. */
export function joinLines(all: readonly Shell[]): Shell {
  return all.reduce(
    (text, one) => sh`${text}${one}
`,
    sh``,
  )
}

/**
 * A command with a text on its standard input, as a here-document: neither a process list nor the environment shows it, and a shell
 * that writes up to 4 KiB into the pipe itself starts no process for it.
 *
 * @param command the here-document begins at the end of its last line
 * @param text a line feed is added to its end
 * @throws TypeError for a text with a NUL, which no shell can hold
 */
export function withText(command: Shell, text: string): Shell {
  if (text.includes('\0')) throw new TypeError('a text for a shell cannot hold a NUL character')
  return Shell.raw(`${command.text} <<'${delimiterFor(text)}'\n${text}\n${delimiterFor(text)}\n`)
}

/** Returns a line that is not in the text: it ends the here-document. */
function delimiterFor(text: string): string {
  const lines = new Set(text.split('\n'))
  for (let n = 0; ; n++) {
    const delimiter = `END_${createHash('sha256').update(`${n} ${text}`).digest('hex').slice(0, 16)}`
    if (!lines.has(delimiter)) return delimiter
  }
}

/** Prints the names in a directory, one per line, without those that begin with a dot. Starts no process. */
export function namesIn(directory: string): Shell {
  return sh`for path in ${directory}/*; do [ ! -e "$path" ] || printf '%s\n' "\${path##*/}"; done`
}
