import { type Shell, sh } from './sh.ts'

/** One under the other. */
export function lines(all: readonly Shell[]): Shell {
  return all.reduce(
    (text, one) => sh`${text}${one}
`,
    sh``,
  )
}
