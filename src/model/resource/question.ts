import type { Group, Host } from '../inventory/host.ts'
import { callSite, type Source } from '../source.ts'
import type { Read } from './read.ts'

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
 * @param make pure; may throw an Error that describes the fault of the answers
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
