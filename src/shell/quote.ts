/** One word of a POSIX shell's command line that means exactly these characters. */
export function quote(word: string): string {
  if (word.includes('\0')) throw new TypeError('a word of a command cannot hold a NUL character')
  return PLAIN.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}

/** Words that no shell reads anything into; a tilde or `=` would be harmless in most places, but not in all. */
const PLAIN =
  /^(?!(?:case|do|done|elif|else|esac|fi|for|function|if|in|select|then|time|until|while)$)[A-Za-z0-9_./:@%+,-]+$/
