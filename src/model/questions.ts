import type { Ask, Question } from './ask.ts'

/**
 * Knows a question again that is made anew each time steps are unfolded, in the body of a role or behind another answer: by where it was
 * made, what it asks, and the how manieth of its sort it is.
 */
export class Questions {
  readonly #known = new Map<string, Question<unknown>>()
  #seen = new Map<Question<unknown>, Question<unknown>>()
  #counts = new Map<string, number>()

  /** The steps are about to be unfolded again. */
  begin(): void {
    this.#seen = new Map()
    this.#counts = new Map()
  }

  /** The same question as it was made the first time. */
  first({ host, question }: Ask): Ask {
    return { host, question: this.#seen.get(question) ?? this.#find(question) }
  }

  #find(question: Question<unknown>): Question<unknown> {
    const key = keyOf(question)
    if (key === undefined) return question
    const nth = this.#counts.get(key) ?? 0
    this.#counts.set(key, nth + 1)
    const first = this.#known.get(`${nth} ${key}`) ?? question
    this.#known.set(`${nth} ${key}`, first)
    this.#seen.set(question, first)
    return first
  }
}

/** Undefined for a question of our own, which is made once. */
function keyOf({ label, read, source }: Question<unknown>): string | undefined {
  if (!source) return undefined
  const scripts = read.parts.map(({ family, query }) => [
    family.name,
    family.as,
    family.on?.name,
    family.script([query]).text,
  ])
  return JSON.stringify([source.file, source.line, source.column, label, scripts])
}
