import type { Ask, Question } from './ask.ts'
import { Problem } from './problem.ts'
import { Spoilt } from './spared.ts'
import { Unknown } from './unknown.ts'

/** What hosts have answered so far. */
export class Answers {
  readonly #byQuestion = new Map<Question<unknown>, Map<string, unknown>>()

  has({ host, question }: Ask): boolean {
    return this.#byQuestion.get(question)?.has(host.name) ?? false
  }

  /** Undefined when the host was not asked, or could not be reached. @throws Problem when its answer makes no sense */
  get({ host, question }: Ask): unknown {
    const answer = this.#byQuestion.get(question)?.get(host.name)
    if (!(answer instanceof Spoilt)) return answer
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
