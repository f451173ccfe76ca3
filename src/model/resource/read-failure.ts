import type { Answer } from './fake-state.ts'
import type { Part, Read } from './read.ts'

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
