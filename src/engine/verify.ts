import type { Check, Verdict } from '../model/check/check.ts'
import type { Finding, Verification, Verified } from '../model/check/verification.ts'
import type { Host } from '../model/inventory/host.ts'
import type { Inventory } from '../model/inventory/inventory.ts'
import { assertSchemaFits } from '../model/inventory/inventory.ts'
import type { Entries } from '../model/inventory/schema.ts'
import { Problem, Unknown, wrapErrors } from '../model/problem.ts'
import type { AnswerStore } from '../model/resource/answer-store.ts'
import type { Ask } from '../model/resource/question.ts'
import { Hosts, type OpenSession } from './hosts/hosts.ts'
import { toProblem } from './hosts/scripts.ts'
import { leftoverCheck } from './leftover-check.ts'

export interface VerifyOptions<S extends Entries = Entries> {
  readonly inventory: Inventory<S>
  readonly verification: Verification<S>
  /** The hosts that are asked. A check that asks another one, too, is left out. @default all */
  readonly limit?: (host: Host) => boolean
}

/**
 * Asks every host at once, each in one round trip after its login, and judges the answers. Checks that do not hold are asked once more
 * when all hosts have answered. Nothing is changed, no lock is taken. A host that cannot be reached hides nothing of the others.
 *
 * @throws Problem for what is wrong before any host is asked
 */
export async function verify<S extends Entries>(
  { inventory, verification, limit = () => true }: VerifyOptions<S>,
  open: OpenSession,
): Promise<Verified> {
  const began = performance.now()
  const hosts = inventory.hosts.filter(limit)
  const checks = checksFor(verification, inventory).filter(({ asks }) =>
    asks.every(({ host }) => limit(host)),
  )
  const fleet = new Hosts(open, () => {})
  try {
    await fleet.ask(asksOf(checks))
    const first = checks.map((check) => ({ check, finding: findingOf(check, fleet) }))
    // An answer of a bad moment, such as a switch between two servers, is not the last word.
    const doubtful = new Set(first.flatMap(({ check, finding }) => (finding.problem ? [check] : [])))
    const again = asksOf([...doubtful])
    for (const one of again) fleet.answers.drop(one)
    await fleet.ask(again)
    return {
      hosts: hosts.map(({ name }) => name),
      findings: first.map(({ check, finding }) => (doubtful.has(check) ? findingOf(check, fleet) : finding)),
      unreachable: fleet.unreachable,
      ms: performance.now() - began,
    }
  } finally {
    await fleet.close()
  }
}

/** The checks of a verification, and for each host that earlier runs have left nothing behind. @throws Problem before any host is asked */
export function checksFor<S extends Entries>(
  verification: Verification<S>,
  inventory: Inventory<S>,
): readonly Check[] {
  assertSchemaFits(verification, inventory)
  const made = wrapErrors('the verification', undefined, () => verification.checks(inventory.values))
  return [...made, ...inventory.hosts.map(leftoverCheck)]
}

/** A question to a host that several checks ask is asked once. */
function asksOf(checks: readonly Check[]): readonly Ask[] {
  const byQuestion = new Map<Ask['question'], Map<string, Ask>>()
  for (const one of checks.flatMap(({ asks }) => asks)) {
    const byHost = byQuestion.get(one.question) ?? new Map<string, Ask>()
    byQuestion.set(one.question, byHost.set(one.host.name, one))
  }
  return [...byQuestion.values()].flatMap((byHost) => [...byHost.values()])
}

function findingOf(check: Check, fleet: Hosts): Finding {
  const { about, label } = check
  if (isLost(check, fleet)) return { about, label, outcome: 'unknown', ms: undefined, problem: undefined }
  const { problem, ...seen } = judged(check, fleet.answers)
  const outcome = !problem ? 'passed' : problem instanceof Unknown ? 'unknown' : 'failed'
  return { about, label, outcome, ...seen, problem }
}

function isLost({ asks, ignoreUnreachable }: Check, { unreachable }: Hosts): boolean {
  return !ignoreUnreachable && asks.some(({ host }) => unreachable.has(host.name))
}

function judged({ judge, about, source }: Check, answers: AnswerStore): Verdict {
  try {
    return judge((one) => answers.get(one))
  } catch (error) {
    if (error instanceof Unknown) {
      const { message, details, cause } = error
      return { problem: new Unknown(message, { details, cause }), ms: undefined }
    }
    const { message, where = source, details, next } = toProblem(error, about)
    const problem = new Problem(message, {
      details,
      ...(where && { where }),
      ...(next && { next }),
      cause: error,
    })
    return { problem, ms: undefined }
  }
}
