import { Unknown } from '../../model/problem.ts'
import { type Part, parseBatch, type Read } from '../../model/resource/read.ts'
import { elapsed } from '../../shell/duration.ts'
import type { Result, Session } from '../../transport/session/session.ts'
import type { HostScript } from './scripts.ts'

/**
 * A read prepared for one round trip: its scripts, one for each family of questions and without duplicates, and a function that parses
 * their results.
 */
interface ReadBatch<T> {
  readonly scripts: readonly HostScript[]
  readonly value: (results: readonly Result[]) => T
}

interface BatchOptions {
  /** True to return the same values for an answer that is equal to the one before. @default false */
  readonly remembers?: boolean
}

export function batch<T>(read: Read<T>, { remembers = false }: BatchOptions = {}): ReadBatch<T> {
  const groups = byFamily(read.parts).map(([family, places]) => {
    const queries = places.map((at) => read.parts[at]?.query)
    return { family, places, queries, script: scriptFor(family, queries) }
  })
  const scripts = inTravelOrder(new Map(groups.map(({ script }) => [keyOf(script), script])))
  const numbers = new Map(scripts.map((script, i) => [keyOf(script), i]))
  const parsers = groups.map(({ family, places, queries, script }) => {
    const at = numbers.get(keyOf(script)) ?? -1
    let before: { readonly result: Result; readonly values: readonly unknown[] } | undefined
    const parse = (result: Result | undefined) => {
      if (before && result && isEqual(before.result, result)) return before.values
      const values = parseBatch(family, queries, () => answerOf(result, script))
      if (remembers && result) before = { result, values }
      return values
    }
    return { at, places, parse }
  })
  return {
    scripts,
    value: (results) => {
      const answers = new Array<unknown>(read.parts.length)
      for (const { at, places, parse } of parsers) {
        const values = parse(results[at])
        places.forEach((place, j) => {
          answers[place] = values[j]
        })
      }
      return read.value(answers)
    },
  }
}

function isEqual(a: Result, b: Result): boolean {
  const isComplete = !a.timedOut && !b.timedOut && !a.skipped && !b.skipped
  return isComplete && a.code === b.code && a.stdout.equals(b.stdout) && a.stderr.equals(b.stderr)
}

/** Reads from a host in one round trip, or in none if the read has no scripts. */
export async function readHost<T>(session: Session, read: Read<T>): Promise<T> {
  const { scripts, value } = batch(read)
  return value(scripts.length === 0 ? [] : await session.run(scripts))
}

function scriptFor(family: Part['family'], queries: readonly unknown[]): HostScript {
  const script = family.script(queries)
  const { text } = script
  return {
    script,
    mayFail: true,
    asks: family.name === 'script' ? firstLine(text) : `the question for ${family.name}`,
    ...(family.on && { on: family.on }),
    ...(family.shared && family.as === undefined && { mode: 'shared' }),
    ...(family.as === undefined ? {} : { as: family.as, mode: 'isolated' }),
  }
}

/** Equal for scripts that have the same result, so that equal questions of several families are asked once. */
function keyOf({ on, as, mode, script }: HostScript): string {
  return [on?.name, as, mode, script.text].join('\0')
}

/** Orders scripts by host, and those that share a subshell next to each other. Questions change nothing, so their order does not matter. */
function inTravelOrder(scripts: ReadonlyMap<string, HostScript>): readonly HostScript[] {
  const hosts = [...new Set([...scripts.values()].map(({ on }) => on?.name))]
  const rank = ({ on, mode }: HostScript) => 2 * hosts.indexOf(on?.name) + (mode === 'shared' ? 0 : 1)
  return [...scripts.values()].sort((a, b) => rank(a) - rank(b))
}

/** The indices of the parts of each family, in the order in which the families first occur. */
function byFamily(parts: readonly Part[]): readonly (readonly [Part['family'], readonly number[]])[] {
  const groups = new Map<Part['family'], number[]>()
  parts.forEach(({ family }, at) => {
    const places = groups.get(family)
    if (places) places.push(at)
    else groups.set(family, [at])
  })
  return [...groups]
}

/** @throws Unknown if the host did not answer */
function answerOf(result: Result | undefined, script: HostScript) {
  if (!result) throw new RangeError('a script has no result')
  const { code, stdout, stderr, timedOut, limit = 0 } = result
  if (timedOut) throw unanswered(script, `no answer after ${elapsed(limit)} to ${script.asks}, so it was ended`)
  if (code === KILLED || (script.mode === 'shared' && code === NOT_RUN))
    throw unanswered(script, `no answer to ${script.asks}: it was killed`)
  return { code, stdout: stdout.toString(), stderr: stderr.toString(), bytes: stdout }
}

const KILLED = 128 + 9

const NOT_RUN = 125

function unanswered({ script: { text } }: HostScript, what: string): Unknown {
  const lines = text.trim().split('\n').slice(0, SHOWN)
  return new Unknown(what, {
    details: lines.map((line) => (line.length > 200 ? `${line.slice(0, 199)}…` : line)),
    next: 'See on the host what it waits for, such as a network mount that is gone or a lock. Nothing was changed because of it.',
  })
}

/** The maximum number of script lines in a message. */
const SHOWN = 5

/** The first line that has more than brackets and semicolons. */
function firstLine(text: string): string {
  const line = text.split('\n').find((one) => /[^\s{}();]/.test(one)) ?? ''
  const words = line.replace(/^[\s{(]+/, '').trim()
  return words.length > 80 ? `${words.slice(0, 79)}…` : words
}
