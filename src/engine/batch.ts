import type { Part, Read } from '../model/read.ts'
import type { Result, Session } from '../transport/session.ts'
import type { RoutedScript } from './routed.ts'

/** A read made ready to travel: its scripts, one for each family of questions and none twice, and what their results mean. */
export interface Packed<T> {
  readonly scripts: readonly RoutedScript[]
  readonly value: (results: readonly Result[]) => T
}

export function pack<T>(read: Read<T>): Packed<T> {
  const groups = byFamily(read.parts).map(([family, places]) => ({
    family,
    places,
    script: scriptFor(
      family,
      places.map((at) => read.parts[at]?.query),
    ),
  }))
  const scripts = inTravelOrder(new Map(groups.map(({ script }) => [keyOf(script), script])))
  const numbers = new Map(scripts.map((script, i) => [keyOf(script), i]))
  return {
    scripts,
    value: (results) => {
      const answers = new Array<unknown>(read.parts.length)
      groups.forEach(({ family, places, script }) => {
        const values = family.parse(
          answerOf(results[numbers.get(keyOf(script)) ?? -1]),
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

function scriptFor(family: Part['family'], queries: readonly unknown[]): RoutedScript {
  return {
    script: family.script(queries),
    mayFail: true,
    ...(family.on && { on: family.on }),
    ...(family.shared && family.as === undefined && { mode: 'shared' }),
    ...(family.as === undefined ? {} : { as: family.as, mode: 'isolated' }),
  }
}

/** The same for scripts that have the same answer: equal questions of several families are asked once. */
function keyOf({ on, as, mode, script }: RoutedScript): string {
  return [on?.name, as, mode, script.text].join('\0')
}

/** Host by host, and those that share a subshell side by side. Questions change nothing, so their order does not matter. */
function inTravelOrder(scripts: ReadonlyMap<string, RoutedScript>): readonly RoutedScript[] {
  const hosts = [...new Set([...scripts.values()].map(({ on }) => on?.name))]
  const rank = ({ on, mode }: RoutedScript) => 2 * hosts.indexOf(on?.name) + (mode === 'shared' ? 0 : 1)
  return [...scripts.values()].sort((a, b) => rank(a) - rank(b))
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
