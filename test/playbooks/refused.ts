import { type Host, type Play, Problem } from 'provision-ts'
import { expand } from '../../src/model/playbook/expand.ts'
import { FACTS as FACTS_ASKED } from '../../src/model/resource/read-facts.ts'
import { FACTS } from '../roles/expanded.ts'
import { wordsOf } from '../support/words.ts'

/** The answer of a host to a query; undefined if the host cannot be reached. */
export type Answering = (host: Host, question: unknown) => unknown

/** The text of the first refusal of the plays, with these answers of the hosts. */
export function refusalOf(plays: () => readonly Play[], answering: Answering = () => undefined): Promise<string> {
  const get = answersFrom(answering)
  return wordsOf(() => {
    for (const play of plays()) {
      const problem = problemOfGate(play, get)
      if (problem) throw problem
      for (const host of play.hosts) expandOn(host, play, get)
    }
  })
}

/** The plays whose steps have the same Problem as the gate before them: a run reads all plays first, and would report it for each host. */
export function repetitionsOf(plays: readonly Play[], answering: Answering = () => undefined): readonly string[] {
  const get = answersFrom(answering)
  const refused = plays.map((play) => problemOfGate(play, get)).find((problem) => problem !== undefined)
  if (!refused) return []
  return plays.filter((play) => play.hosts.some((host) => fails(refused, host, play, get))).map(({ label }) => label)
}

type Get = (one: { readonly host: Host; readonly question: unknown }) => unknown

function answersFrom(answering: Answering): Get {
  return ({ host, question }) => (question === FACTS_ASKED ? FACTS : answering(host, question))
}

function problemOfGate({ conditions = [] }: Play, get: Get): Problem | undefined {
  for (const condition of conditions) {
    const problem = condition.value(get)
    if (problem) return problem
  }
  return undefined
}

function expandOn(host: Host, { steps }: Play, get: Get): void {
  expand(steps(host), { facts: FACTS, host, answers: { has: () => true, get } })
}

function fails({ message }: Problem, host: Host, play: Play, get: Get): boolean {
  try {
    expandOn(host, play, get)
    return false
  } catch (error) {
    if (error instanceof Problem) return error.message === message
    throw error
  }
}
