import type { Group, Host } from '../inventory/host.ts'
import { Problem, Unknown } from '../problem.ts'
import { callSite, type Source } from '../source.ts'
import { type Read, ReadFailure } from './read.ts'

/** A question to hosts, such as "are you the primary?". */
export interface Question<T> {
  readonly label: string
  readonly read: Read<T>
  /** Its place in the user's files. */
  readonly source?: Source | undefined
}

/**
 * Creates a question. Messages about an answer that is not valid show its label. The read changes nothing on the host. It may be created
 * anywhere, also in the body of a role: it is asked once.
 *
 * @example const isPrimary = ask('is it the primary?', read(sh`app is-primary`, ({ code }) => code === 0))
 */
export function ask<T>(label: string, read: Read<T>): Question<T> {
  return Object.freeze({ label, read, source: callSite() })
}

/** A question to one host. */
export interface Ask {
  readonly host: Host
  readonly question: Question<unknown>
}

/** A value that is computed from answers of hosts; known only during a run. */
export interface Answers<T> {
  readonly asks: readonly Ask[]
  /** @param answerTo returns the answer of a host; undefined if it is not reachable */
  readonly value: (answerTo: (ask: Ask) => unknown) => T
}

/** The answer of one host to a question to several. */
export interface HostAnswer<T, H extends Host = Host> {
  readonly host: H
  /** Undefined if the host is not reachable. */
  readonly answer: T | undefined
}

/** Asks each host of a group one question. @example askEach(db, isPrimary) */
export function askEach<T, H extends Host>(
  { hosts }: Pick<Group<H>, 'hosts'>,
  question: Question<T>,
): Answers<readonly HostAnswer<T, H>[]> {
  const asks = hosts.map((host) => ({ host, question }))
  return {
    asks,
    // The question's own read returns the answers.
    value: (answerTo) => asks.map((one) => ({ host: one.host, answer: answerTo(one) as T | undefined })),
  }
}

/**
 * Asks one host a question.
 *
 * @example after(askHost(db1, isPrimary), (primary) => primary && file('/etc/app/database', db1.address))
 */
export function askHost<T>(host: Host, question: Question<T>): Answers<T | undefined> {
  return mapAnswers(askEach({ hosts: [host] }, question), ([first]) => first?.answer)
}

/**
 * Computes a value from answers.
 *
 * @param make pure; for a fault of the answers it returns a Problem, see {@link after}
 * @example mapAnswers(askEach(db, isPrimary), (all) => all.filter(({ answer }) => answer).map(({ host }) => host.name))
 */
export function mapAnswers<A, B>(from: Answers<A>, make: (value: A) => B): Answers<B> {
  return { asks: from.asks, value: (answerTo) => make(from.value(answerTo)) }
}

/**
 * Combines two answers.
 *
 * @example after(allAnswers(askHost(db1, isPrimary), askHost(db2, isPrimary)), ([first, second]) => first && second && file('/etc/two-primaries', ''))
 */
export function allAnswers<A, B>(a: Answers<A>, b: Answers<B>): Answers<readonly [A, B]> {
  return { asks: [...a.asks, ...b.asks], value: (answerTo) => [a.value(answerTo), b.value(answerTo)] }
}

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
