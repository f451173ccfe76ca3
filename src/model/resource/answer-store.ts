import { Problem, Unknown } from '../problem.ts'
import type { Ask, Question } from './question.ts'
import { ReadFailure } from './read-failure.ts'

/** The answers of hosts. */
export class AnswerStore {
  readonly #byQuestion = new Map<Question<unknown>, Map<string, unknown>>()

  has({ host, question }: Ask): boolean {
    return this.#byQuestion.get(question)?.has(host.name) ?? false
  }

  /** Undefined if the host was not asked, or is not reachable. @throws Problem if its answer is not valid */
  get({ host, question }: Ask): unknown {
    const answer = this.#byQuestion.get(question)?.get(host.name)
    if (!(answer instanceof ReadFailure)) return answer
    const { cause } = answer
    if (cause instanceof Problem) throw cause
    const words = cause instanceof Error ? cause.message : String(cause)
    throw new Unknown(`${host.name}: its answer to "${question.label}" makes no sense: ${words}`, { cause })
  }

  set({ host, question }: Ask, answer: unknown): void {
    const byHost = this.#byQuestion.get(question) ?? new Map<string, unknown>()
    this.#byQuestion.set(question, byHost.set(host.name, answer))
  }

  /** Removes one answer, so that the question is asked again. */
  drop({ host, question }: Ask): void {
    this.#byQuestion.get(question)?.delete(host.name)
  }

  /** Removes the answers of a host, which has changed since. */
  forget(host: string): void {
    for (const byHost of this.#byQuestion.values()) byHost.delete(host)
  }
}

/**
 * Identifies questions that are created again at each expansion, in the body of a role or after another answer: by source location, by
 * content, and by position among equal ones.
 */
export class QuestionRegistry {
  readonly #known = new Map<string, Question<unknown>>()
  #seen = new Map<Question<unknown>, Question<unknown>>()
  #counts = new Map<string, number>()

  /** Starts another expansion. */
  begin(): void {
    this.#seen = new Map()
    this.#counts = new Map()
  }

  /** Returns the question that the first expansion created. */
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

/** Undefined for a built-in question, which is created only once. */
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
