import type { Answer } from './fake-state.ts'
import type { Part, Read } from './read.ts'

/** In place of an answer: why there is none. */
export class ReadFailure {
  readonly cause: unknown

  constructor(cause: unknown) {
    this.cause = cause
  }
}

/** The same question; when its answer makes no sense, that is its value, and others that travel with it have theirs. */
export function catchFailures({ parts, value }: Read<unknown>): Read<unknown> {
  return {
    parts: parts.map(({ family, query }) => ({ family: sparedFamily(family), query })),
    value: (answers) =>
      answers.find((answer) => answer instanceof ReadFailure) ?? attempted(() => value(answers)),
  }
}

/** One for each family, so that what they ask still travels together. */
function sparedFamily(family: Part['family']): Part['family'] {
  const made = FAMILIES.get(family) ?? {
    ...family,
    script: (queries) => family.script(queries),
    parse: (answer, queries) => {
      const values = attempted(() => family.parse(answer, queries))
      return values instanceof ReadFailure ? queries.map(() => values) : values
    },
  }
  FAMILIES.set(family, made)
  SPARED.add(made)
  return made
}

/**
 * The values of these queries.
 *
 * @throws what `answer` throws, unless the question is spared: then that is the value
 */
export function parseBatch(
  family: Part['family'],
  queries: readonly unknown[],
  answer: () => Answer,
): readonly unknown[] {
  if (!SPARED.has(family)) return family.parse(answer(), queries)
  const given = attempted(answer)
  return given instanceof ReadFailure ? queries.map(() => given) : family.parse(given, queries)
}

const SPARED = new WeakSet<Part['family']>()

const FAMILIES = new WeakMap<Part['family'], Part['family']>()

function attempted<T>(body: () => T): T | ReadFailure {
  try {
    return body()
  } catch (error) {
    return new ReadFailure(error)
  }
}
