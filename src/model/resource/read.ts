import type { Shell } from '../../shell/sh.ts'
import type { Host } from '../inventory/host.ts'
import type { Answer, FakeState } from './fake-state.ts'

/**
 * A family of questions that one script asks together: one `stat` for all files, one `dpkg-query` for all packages. The script changes
 * nothing on the host, and the things that it asks for may be missing.
 */
interface BatchRead<Q, T> {
  readonly name: string
  /** The user that runs the script. @default root */
  readonly as?: string
  /**
   * True if the script does not change its shell: it has no `exit`, `cd`, `exec`, `set -e` or trap. Such scripts run in order in one
   * subshell, so they start no processes of their own.
   * @default a subshell for each script
   */
  readonly shared?: boolean
  /** The host that is asked. @default the host of the step */
  readonly on?: Host
  script(queries: readonly Q[]): Shell
  /** Returns one value for each query, in their order. */
  parse(answer: Answer, queries: readonly Q[]): readonly T[]
  /**
   * The paths that the answer to a query depends on: a file's own path. A change of one of them, or of a path above or below it, may change
   * the answer; other changes cannot.
   * @default the answer may depend on anything
   */
  dependsOn?(query: Q): readonly string[]
  /** The value for one query on a fake host. @default the result of `parse` for the test's answer to the script */
  fakeValue?(host: FakeState, query: Q): T
}

/** A question to a host. It is a value: it can be merged with others, and asked again. */
export interface Read<T> {
  readonly parts: readonly Part[]
  /** Computes the value from the answers of the parts. */
  readonly value: (answers: readonly unknown[]) => T
}

export interface Part {
  readonly family: BatchRead<unknown, unknown>
  readonly query: unknown
}

/**
 * Creates a family of questions: call it with a query to get the Read.
 *
 * @example
 * const inodeOf = batchRead<string, string | undefined>({
 *   name: 'inodes',
 *   script: (paths) => sh`for path in ${paths}; do stat -c %i "$path" 2>/dev/null || echo; done`,
 *   parse: ({ stdout }, paths) => paths.map((_path, i) => stdout.split('\n')[i] || undefined),
 * })
 */
export function batchRead<Q, T>(of: BatchRead<Q, T>): (query: Q) => Read<T> {
  // A query is passed to its own family only.
  const erased = of as unknown as BatchRead<unknown, unknown>
  return (query) => ({ parts: [{ family: erased, query }], value: ([answer]) => answer as T })
}

/**
 * A question with a script of its own, and the function that parses its answer. The script must not change anything.
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
    // Equal questions of one round trip are asked once.
    parse: (answer, queries) => {
      const value = parse(answer)
      return queries.map(() => value)
    },
    ...(fakeValue && { fakeValue }),
  })(undefined)
}

interface ReadOptions<T> {
  /** The user that runs the script. @default root */
  readonly as?: string
  /**
   * The paths that the answer depends on, each with all paths above and below it. The step is then not read again after changes of other
   * paths, and remains known in a plan.
   * @default any change of an earlier step
   */
  readonly dependsOn?: readonly string[]
  /** True if the script may share a subshell: see {@link BatchRead.shared}. @default false */
  readonly shared?: boolean
  /** The value on a fake host. @default the result of `parse` for the test's answer to the script */
  readonly fakeValue?: (host: FakeState) => T
}

/**
 * Combines two questions.
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
 * Combines a list of questions.
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
 * Converts the answer to a question.
 *
 * @example mapRead(read(sh`nproc`, ({ stdout }) => Number(stdout)), (cores) => cores > 1)
 */
export function mapRead<A, B>(from: Read<A>, change: (value: A) => B): Read<B> {
  return { parts: from.parts, value: (answers) => change(from.value(answers)) }
}

/** A question whose answer is already known. */
export function known<T>(value: T): Read<T> {
  return { parts: [], value: () => value }
}

/**
 * The things that the answer to a question depends on, each with the name of its host; undefined if it may depend on anything.
 *
 * @param host the host of the turn
 */
export function dependenciesOf({ parts }: Read<unknown>, host: string): readonly string[] | undefined {
  const all: string[] = []
  for (const { family, query } of parts) {
    if (!family.dependsOn) return undefined
    for (const thing of family.dependsOn(query)) all.push(`${family.on?.name ?? host}:${thing}`)
  }
  return all
}

/** The same question to another host than that of the turn. */
export function elsewhere<T>({ parts, value }: Read<T>, host: Host): Read<T> {
  return { parts: parts.map(({ family, query }) => ({ family: familyOn(family, host), query })), value }
}

/** Returns the same object for each family and host, so that its questions are still merged. */
function familyOn(family: Part['family'], host: Host): Part['family'] {
  const byHost = FAMILIES_ELSEWHERE.get(family) ?? new Map<string, Part['family']>()
  FAMILIES_ELSEWHERE.set(family, byHost)
  const made = byHost.get(host.name) ?? { ...family, on: host }
  byHost.set(host.name, made)
  return made
}

const FAMILIES_ELSEWHERE = new WeakMap<Part['family'], Map<string, Part['family']>>()

/** Replaces an answer that could not be read; contains the cause. */
export class ReadFailure {
  readonly cause: unknown

  constructor(cause: unknown) {
    this.cause = cause
  }
}

/**
 * The same question, but if its answer is not valid, the value is a {@link ReadFailure}. Other questions of the same round trip are not
 * affected.
 */
export function catchFailures({ parts, value }: Read<unknown>): Read<unknown> {
  return {
    parts: parts.map(({ family, query }) => ({ family: tolerantBatch(family), query })),
    value: (answers) => answers.find((answer) => answer instanceof ReadFailure) ?? attempted(() => value(answers)),
  }
}

/** Returns the same object for each family, so that its questions are still merged. */
function tolerantBatch(family: Part['family']): Part['family'] {
  const made = FAMILIES.get(family) ?? {
    ...family,
    script: (queries) => family.script(queries),
    parse: (answer, queries) => {
      const values = attempted(() => family.parse(answer, queries))
      return values instanceof ReadFailure ? queries.map(() => values) : values
    },
  }
  FAMILIES.set(family, made)
  TOLERANT.add(made)
  return made
}

/**
 * The values of these queries.
 *
 * @throws the error of `answer`, unless the family is one of {@link catchFailures}: then the values are a {@link ReadFailure}
 */
export function parseBatch(
  family: Part['family'],
  queries: readonly unknown[],
  answer: () => Answer,
): readonly unknown[] {
  if (!TOLERANT.has(family)) return family.parse(answer(), queries)
  const given = attempted(answer)
  return given instanceof ReadFailure ? queries.map(() => given) : family.parse(given, queries)
}

const TOLERANT = new WeakSet<Part['family']>()

const FAMILIES = new WeakMap<Part['family'], Part['family']>()

function attempted<T>(body: () => T): T | ReadFailure {
  try {
    return body()
  } catch (error) {
    return new ReadFailure(error)
  }
}
