import type { Read } from '../../src/model/resource/read.ts'

/** Parses these outputs as the results of the read's scripts. */
export function parsed<T>({ parts, value }: Read<T>, ...answers: readonly string[]): T {
  const families = [...new Set(parts.map(({ family }) => family))]
  const values = families.map((family, i) => {
    const queries = parts.filter((part) => part.family === family).map(({ query }) => query)
    const stdout = answers[i] ?? ''
    return [...family.parse({ code: 0, stdout, stderr: '', bytes: Buffer.from(stdout) }, queries)]
  })
  return value(parts.map(({ family }) => values[families.indexOf(family)]?.shift()))
}
