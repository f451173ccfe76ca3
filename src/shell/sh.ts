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
