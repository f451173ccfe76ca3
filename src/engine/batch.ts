import type { Part, Read } from '../model/read.ts'
import type { Result, Session } from '../transport/session.ts'
import type { RoutedScript } from './routed.ts'

/** A read made ready to travel: its scripts, one for each family of questions, and what their results mean. */
export interface Packed<T> {
  readonly scripts: readonly RoutedScript[]
  readonly value: (results: readonly Result[]) => T
}

export function pack<T>(read: Read<T>): Packed<T> {
  const groups = byFamily(read.parts)
  return {
    scripts: groups.map(([family, places]) => ({
      script: family.script(places.map((at) => read.parts[at]?.query)),
      mayFail: true,
      ...(family.on && { on: family.on }),
      ...(family.as === undefined ? {} : { as: family.as, mode: 'isolated' as const }),
    })),
    value: (results) => {
      const answers = new Array<unknown>(read.parts.length)
      groups.forEach(([family, places], i) => {
        const values = family.parse(
          answerOf(results[i]),
          places.map((at) => read.parts[at]?.query),
        )
        places.forEach((at, j) => {
          answers[at] = values[j]
        })
      })
      return read.value(answers)
    },
  }
}

/** Asks a host in one round trip; in none when there is nothing to ask. */
export async function askHost<T>(session: Session, read: Read<T>): Promise<T> {
  const { scripts, value } = pack(read)
  return value(scripts.length === 0 ? [] : await session.run(scripts))
}

/** The places of the parts of each family, in the order in which the families first occur. */
function byFamily(parts: readonly Part[]): readonly (readonly [Part['family'], readonly number[]])[] {
  const groups = new Map<Part['family'], number[]>()
  parts.forEach(({ family }, at) => {
    const places = groups.get(family)
    if (places) places.push(at)
    else groups.set(family, [at])
  })
  return [...groups]
}

function answerOf(result: Result | undefined) {
  if (!result) throw new RangeError('a script has no result')
  const { code, stdout, stderr } = result
  return { code, stdout: stdout.toString(), stderr: stderr.toString(), bytes: stdout }
}
