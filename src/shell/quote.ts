/** Quotes a text as one word of a POSIX shell's command line. */
export function quote(word: string): string {
  if (word.includes('\0')) throw new TypeError('a word of a command cannot hold a NUL character')
  return PLAIN.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}

/** Words without special meaning in any shell. A tilde or `=` has one in some places. */
const PLAIN =
  /^(?!(?:case|do|done|elif|else|esac|fi|for|function|if|in|select|then|time|until|while)$)[A-Za-z0-9_./:@%+,-]+$/
