import type { Host, Play } from 'provision-ts'
import { expand } from '../../src/model/playbook/expand.ts'
import { FACTS as FACTS_ASKED } from '../../src/model/resource/read-facts.ts'
import { FACTS } from '../roles/expanded.ts'
import { wordsOf } from '../support/words.ts'

/** The answer of a host to a query; undefined if the host cannot be reached. */
export type Answering = (host: Host, question: unknown) => unknown

/** The text of the first refusal of the plays, with these answers of the hosts. */
export function refusalOf(plays: () => readonly Play[], answering: Answering = () => undefined): Promise<string> {
  const answers = {
    has: () => true,
    get: ({ host, question }: { readonly host: Host; readonly question: unknown }) =>
      question === FACTS_ASKED ? FACTS : answering(host, question),
  }
  return wordsOf(() => {
    for (const { hosts, steps, conditions = [] } of plays()) {
      for (const condition of conditions) {
        const problem = condition.value(answers.get)
        if (problem) throw problem
      }
      for (const host of hosts) expand(steps(host), { facts: FACTS, host, answers })
    }
  })
}
