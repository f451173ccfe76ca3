/** The words of a line, or why it has none. */
export type Words = { readonly words: readonly string[] } | { readonly fault: string }

/**
 * Splits a line as Python's `shlex.split` does in POSIX mode: a backslash takes the next character as it is, in double quotes only
 * before `"` and `\`; quotes join with what stands next to them.
 *
 * @param comments a `#` outside quotes, even within a word, begins a comment
 */
export function shlex(text: string, { comments = false } = {}): Words {
  const words: string[] = []
  let word: string | undefined
  let quote = ''
  const letters = [...text]
  for (let i = 0; i < letters.length; i++) {
    const c = letters[i] ?? ''
    if (c === '\\' && quote !== "'") {
      const next = letters[++i]
      if (next === undefined) return { fault: 'A backslash at the end escapes nothing' }
      word = (word ?? '') + (quote === '"' && next !== '"' && next !== '\\' ? c : '') + next
    } else if (quote !== '') {
      if (c === quote) quote = ''
      else word = (word ?? '') + c
    } else if (c === '"' || c === "'") {
      quote = c
      word ??= ''
    } else if (comments && c === '#') break
    else if (' \t\r\n'.includes(c)) {
      if (word !== undefined) words.push(word)
      word = undefined
    } else word = (word ?? '') + c
  }
  if (quote !== '') return { fault: `A quote (${quote}) is not closed` }
  return { words: word === undefined ? words : [...words, word] }
}
