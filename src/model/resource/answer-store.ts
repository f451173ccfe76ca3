import { Problem, Unknown } from '../problem.ts'
import type { Ask, Question } from './question.ts'
import { ReadFailure } from './read-failure.ts'

/** What hosts have answered so far. */
export class AnswerStore {
  readonly #byQuestion = new Map<Question<unknown>, Map<string, unknown>>()

  has({ host, question }: Ask): boolean {
    return this.#byQuestion.get(question)?.has(host.name) ?? false
  }

  /** Undefined when the host was not asked, or could not be reached. @throws Problem when its answer makes no sense */
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

  /** Forgets one answer, so that it is asked again. */
  drop({ host, question }: Ask): void {
    this.#byQuestion.get(question)?.delete(host.name)
  }

  /** Forgets what this host has answered: something on it has changed since. */
  forget(host: string): void {
    for (const byHost of this.#byQuestion.values()) byHost.delete(host)
  }
}

/**
 * Knows a question again that is made anew each time steps are unfolded, in the body of a role or behind another answer: by where it was
 * made, what it asks, and the how manieth of its sort it is.
 */
export class QuestionRegistry {
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
