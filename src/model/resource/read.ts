import type { Shell } from '../../shell/sh.ts'
import type { Host } from '../inventory/host.ts'
import type { Answer, FakeState } from './fake-state.ts'

/**
 * Questions of one sort, which travel as one script however many there are: one `stat` for all files, one `dpkg-query` for
 * all packages. The script changes nothing on the host, and what it asks for may be missing.
 */
export interface BatchRead<Q, T> {
  readonly name: string
  /** The user that asks, when not root. */
  readonly as?: string
  /**
   * The script leaves the shell as it found it: it has no `exit`, `cd`, `exec`, `set -e` or trap. Such scripts run one after another in
   * one subshell, so they cost no process of their own. @default a subshell for each script
   */
  readonly shared?: boolean
  /** Where it is asked, when not on the host whose step it belongs to. */
  readonly on?: Host
  script(queries: readonly Q[]): Shell
  /** As many values as there were queries, in their order. */
  parse(answer: Answer, queries: readonly Q[]): readonly T[]
  /**
   * The things that the answer to a query depends on, as paths: a file's own path. A change of one of them, or of what stands above or
   * below it, may change the answer; a change of anything else cannot. @default the answer may depend on anything
   */
  dependsOn?(query: Q): readonly string[]
  /** The value for one query on a host that a test has made up. @default what `parse` makes of the answer to the script */
  fakeValue?(host: FakeState, query: Q): T
}

/** A question to a host, as a value: it can be merged with others, and asked again. */
export interface Read<T> {
  readonly parts: readonly Part[]
  /** Makes the value from the answers of the parts. */
  readonly value: (answers: readonly unknown[]) => T
}

export interface Part {
  readonly family: BatchRead<unknown, unknown>
  readonly query: unknown
}

/**
 * A family of questions: call it with a query to get the Read.
 *
 * @example
 * const inodeOf = batchRead<string, string | undefined>({
 *   name: 'inodes',
 *   script: (paths) => sh`for path in ${paths}; do stat -c %i "$path" 2>/dev/null || echo; done`,
 *   parse: ({ stdout }, paths) => paths.map((_path, i) => stdout.split('\n')[i] || undefined),
 * })
 */
export function batchRead<Q, T>(of: BatchRead<Q, T>): (query: Q) => Read<T> {
  // What the parts hold is only ever given back to the family that it came from.
  const erased = of as unknown as BatchRead<unknown, unknown>
  return (query) => ({ parts: [{ family: erased, query }], value: ([answer]) => answer as T })
}

/**
 * A question of its own: one script, and what its answer means. The script must not change anything.
 *
 * @example read(sh`timedatectl show -p Timezone --value`, ({ stdout }) => stdout.trim())
 */
export function read<T>(
  script: Shell,
  parse: (answer: Answer) => T,
  { as, shared = false, dependsOn, fakeValue }: ReadOptions<T> = {},
): Read<T> {
  return batchRead<undefined, T>({
    name: 'script',
    ...(as === undefined ? {} : { as }),
    ...(dependsOn && { dependsOn: () => dependsOn }),
    shared,
    script: () => script,
    // The same question twice in one trip is asked once.
    parse: (answer, queries) => {
      const value = parse(answer)
      return queries.map(() => value)
    },
    ...(fakeValue && { fakeValue }),
  })(undefined)
}

interface ReadOptions<T> {
  /** The user that asks. @default root */
  readonly as?: string
  /**
   * The paths that the answer depends on, each with all that is above and below it. A step whose question says this is not read again after
   * changes of other paths, and stays certain in a plan. @default anything that a step before it changes
   */
  readonly dependsOn?: readonly string[]
  /** Whether the script may share a subshell: see {@link BatchRead.shared}. @default false */
  readonly shared?: boolean
  /** The value on a host that a test has made up. @default what `parse` makes of the test's own answer to the script */
  readonly fakeValue?: (host: FakeState) => T
}

/**
 * Several questions as one.
 *
 * @example readBoth(read(sh`uname -r`, ({ stdout }) => stdout.trim()), read(sh`nproc`, ({ stdout }) => Number(stdout)))
 */
export function readBoth<A, B>(a: Read<A>, b: Read<B>): Read<readonly [A, B]> {
  const cut = a.parts.length
  return {
    parts: [...a.parts, ...b.parts],
    value: (answers) => [a.value(answers.slice(0, cut)), b.value(answers.slice(cut))],
  }
}

/**
 * A list of questions as one.
 *
 * @example readAll(['cron', 'ssh'].map((unit) => read(sh`systemctl is-active ${unit}`, ({ code }) => code === 0)))
 */
export function readAll<T>(reads: readonly Read<T>[]): Read<readonly T[]> {
  return {
    parts: reads.flatMap((one) => one.parts),
    value: (answers) => {
      let at = 0
      return reads.map((one) => {
        const own = answers.slice(at, at + one.parts.length)
        at += own.length
        return one.value(own)
      })
    },
  }
}

/**
 * The same question with its answer made into something else.
 *
 * @example mapRead(read(sh`nproc`, ({ stdout }) => Number(stdout)), (cores) => cores > 1)
 */
export function mapRead<A, B>(from: Read<A>, change: (value: A) => B): Read<B> {
  return { parts: from.parts, value: (answers) => change(from.value(answers)) }
}

/** A question that needs no asking. */
export function known<T>(value: T): Read<T> {
  return { parts: [], value: () => value }
}

/**
 * The things that the answer to a question depends on, each with the name of its host; undefined when that may be anything.
 *
 * @param host the one whose turn it is
 */
export function dependenciesOf({ parts }: Read<unknown>, host: string): readonly string[] | undefined {
  const all: string[] = []
  for (const { family, query } of parts) {
    if (!family.dependsOn) return undefined
    for (const thing of family.dependsOn(query)) all.push(`${family.on?.name ?? host}:${thing}`)
  }
  return all
}

/** The same question, put to another host than the one whose turn it is. */
export function elsewhere<T>({ parts, value }: Read<T>, host: Host): Read<T> {
  return { parts: parts.map(({ family, query }) => ({ family: familyOn(family, host), query })), value }
}

/** One for each family and host, so that what they ask can still travel together. */
function familyOn(family: Part['family'], host: Host): Part['family'] {
  const byHost = FAMILIES_ELSEWHERE.get(family) ?? new Map<string, Part['family']>()
  FAMILIES_ELSEWHERE.set(family, byHost)
  const made = byHost.get(host.name) ?? { ...family, on: host }
  byHost.set(host.name, made)
  return made
}

const FAMILIES_ELSEWHERE = new WeakMap<Part['family'], Map<string, Part['family']>>()
