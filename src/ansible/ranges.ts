/** The names that a pattern such as `web[01:20]` or `db-[a:c]` stands for. */
export function expanded(pattern: string): readonly string[] {
  const found = /^(.*?)\[(\w+):(\w+)(?::(\d+))?\](.*)$/.exec(pattern)
  if (!found) return [pattern]
  const [, before = '', from = '', to = '', step = '1', rest = ''] = found
  const middle = /^\d+$/.test(from) ? numbers(from, to, Number(step)) : letters(from, to, Number(step))
  return middle.flatMap((one) => expanded(rest).map((after) => `${before}${one}${after}`))
}

/** With the zeros in front that the first one has. */
function numbers(from: string, to: string, step: number): readonly string[] {
  return steps(Number(from), Number(to), step).map((n) => String(n).padStart(from.length, '0'))
}

function letters(from: string, to: string, step: number): readonly string[] {
  return steps(from.charCodeAt(0), to.charCodeAt(0), step).map((code) => String.fromCharCode(code))
}

function steps(from: number, to: number, step: number): readonly number[] {
  const count = Math.max(0, Math.floor((to - from) / Math.max(1, step)) + 1)
  return Array.from({ length: count }, (_, i) => from + i * Math.max(1, step))
}
