import { Shell } from '../shell/sh.ts'
import type { Errand } from './around.ts'
import { type Delegated, delegated } from './delegated.ts'
import type { Group, Host } from './host.ts'
import type { Read } from './read.ts'
import { callSite, type Source } from './source.ts'
import type { Steps } from './steps.ts'

/** A question that can be put to hosts, such as "are you the primary?". */
export interface Question<T> {
  readonly label: string
  readonly read: Read<T>
  /** Where its author wrote it. */
  readonly source?: Source | undefined
}

/**
 * A question with a name, which is told where the answer makes no sense. The read changes nothing on the host. It may be made anywhere, in
 * the body of a role as well: it is asked once.
 *
 * @example const isPrimary = ask('is it the primary?', read(sh`app is-primary`, ({ code }) => code === 0))
 */
export function ask<T>(label: string, read: Read<T>): Question<T> {
  return Object.freeze({ label, read, source: callSite() })
}

/** A question put to one host. */
export interface Ask {
  readonly host: Host
  readonly question: Question<unknown>
}

/** A value made from hosts' answers; known only during a run. */
export interface Derived<T> {
  readonly asks: readonly Ask[]
  /** @param answerTo gives what the host answered; undefined when it could not be reached */
  readonly value: (answerTo: (ask: Ask) => unknown) => T
}

/** What one host answered to a question that was put to several. */
export interface Answered<T, H extends Host = Host> {
  readonly host: H
  /** Undefined when the host could not be reached. */
  readonly answer: T | undefined
}

/** One question to each of a group. @example each(db, isPrimary) */
export function each<T, H extends Host>(
  group: Pick<Group<H>, 'hosts'>,
  question: Question<T>,
): Derived<readonly Answered<T, H>[]>
/** One command on each of a group, for {@link around}. */
export function each(group: Pick<Group, 'hosts'>, script: Shell): readonly Errand[]
export function each<T, H extends Host>(
  group: Pick<Group<H>, 'hosts'>,
  what: Question<T> | Shell,
): Derived<readonly Answered<T, H>[]> | readonly Errand[] {
  return what instanceof Shell ? group.hosts.map((host) => ({ host, script: what })) : eachAnswer(group, what)
}

function eachAnswer<T, H extends Host>(
  { hosts }: Pick<Group<H>, 'hosts'>,
  question: Question<T>,
): Derived<readonly Answered<T, H>[]> {
  const asks = hosts.map((host) => ({ host, question }))
  return {
    asks,
    // An answer is what the question's own read has made.
    value: (answerTo) => asks.map((one) => ({ host: one.host, answer: answerTo(one) as T | undefined })),
  }
}

/**
 * A question to one host.
 *
 * @example after(on(db1, isPrimary), (primary) => primary && file('/etc/app/database', db1.address))
 */
export function on<T>(host: Host, question: Question<T>): Derived<T | undefined>
/** A command on one host, for {@link around}. */
export function on(host: Host, script: Shell): Errand
/** Steps for another host, at this place in the turn of the play's own one; its facts are what roles in them see. */
export function on(host: Host, steps: Steps): Delegated
export function on<T>(
  host: Host,
  what: Question<T> | Shell | Steps,
): Derived<T | undefined> | Errand | Delegated {
  if (what instanceof Shell) return { host, script: what }
  return isQuestion(what)
    ? derive(eachAnswer({ hosts: [host] }, what), ([first]) => first?.answer)
    : delegated(host, what)
}

function isQuestion<T>(what: Question<T> | Steps): what is Question<T> {
  return !!what && 'label' in what && !('type' in what)
}

/**
 * Something made from answers.
 *
 * @param make pure; may throw an Error that says what is wrong with the answers
 * @example derive(each(db, isPrimary), (all) => all.filter(({ answer }) => answer).map(({ host }) => host.name))
 */
export function derive<A, B>(from: Derived<A>, make: (value: A) => B): Derived<B> {
  return { asks: from.asks, value: (answerTo) => make(from.value(answerTo)) }
}

/** Steps that depend on what hosts answer. */
export interface After {
  readonly type: 'after'
  readonly source: Source | undefined
  readonly asks: readonly Ask[]
  readonly steps: (answerTo: (ask: Ask) => unknown) => Steps
}

/**
 * Steps that need another's answer. The question is asked when the plan is made, and again right before the steps run when
 * anything on the asked hosts has changed since.
 *
 * @example
 * after(each(db, isPrimary), (all) => {
 *   const primary = all.find(({ answer }) => answer)?.host
 *   return primary && file('/etc/app/database', primary.address)
 * })
 */
export function after<T>(derived: Derived<T>, then: (value: T) => Steps): After {
  return Object.freeze({
    type: 'after',
    source: callSite(),
    asks: derived.asks,
    steps: (answerTo: (ask: Ask) => unknown) => then(derived.value(answerTo)),
  })
}
