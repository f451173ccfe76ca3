import { type Check, expect, type Verdict } from '../model/check/check.ts'
import type { Finding, Verification, Verified } from '../model/check/verification.ts'
import { openDrains, pendingHandlers, undrainCommand } from '../model/host-state.ts'
import type { Host } from '../model/inventory/host.ts'
import { assertSchemaFits, type Inventory } from '../model/inventory/inventory.ts'
import type { Entries } from '../model/inventory/schema.ts'
import { Problem, Unknown, wrapErrors } from '../model/problem.ts'
import { type AnswerStore, type Ask, ask, askHost } from '../model/resource/question.ts'
import { mapRead, readAll } from '../model/resource/read.ts'
import { unfinishedTransactions } from '../resources/transaction/rollback.ts'
import { Hosts } from './hosts/hosts.ts'
import { type OpenSession, toProblem } from './hosts/scripts.ts'

export interface VerifyOptions<S extends Entries = Entries> {
  readonly inventory: Inventory<S>
  readonly verification: Verification<S>
  /** Selects the hosts. A check that asks another host is left out. @default all */
  readonly limit?: (host: Host) => boolean
  /** The maximum number of hosts in progress. @default 100 */
  readonly forks?: number | undefined
}

/**
 * Asks all hosts in parallel, each in one round trip after the login, and judges the answers. Checks that fail are repeated once after all
 * hosts have answered. Nothing is changed, and no lock is taken. A host that is not reachable does not affect the others.
 *
 * @throws Problem for an error that is found before any host is asked
 */
export async function verify<S extends Entries>(
  { inventory, verification, forks, limit = () => true }: VerifyOptions<S>,
  open: OpenSession,
): Promise<Verified> {
  const began = performance.now()
  const checks = checksFor(verification, inventory).filter(({ asks }) => asks.every(({ host }) => limit(host)))
  const hosts = new Hosts(open, () => {}, { forks })
  try {
    await hosts.ask(asksOf(checks))
    const first = checks.map((check) => ({ check, finding: findingOf(check, hosts) }))
    // A bad moment, such as a failover, must not decide the result.
    const failed = new Set(first.flatMap(({ check, finding }) => (finding.problem ? [check] : [])))
    const again = asksOf([...failed])
    for (const one of again) hosts.answers.drop(one)
    await hosts.ask(again)
    return {
      hosts: inventory.hosts.filter(limit).map(({ name }) => name),
      findings: first.map(({ check, finding }) => (failed.has(check) ? findingOf(check, hosts) : finding)),
      unreachable: hosts.unreachable,
      ms: performance.now() - began,
    }
  } finally {
    await hosts.close()
  }
}

/** The checks of a verification, and a check of each host for unfinished runs. @throws Problem for an error of the verification */
export function checksFor<S extends Entries>(verification: Verification<S>, inventory: Inventory<S>): readonly Check[] {
  assertSchemaFits(verification, inventory)
  const own = wrapErrors('the verification', undefined, () => verification.checks(inventory.values))
  return [...own, ...inventory.hosts.map(unfinishedRunsCheck)]
}

function unfinishedRunsCheck(host: Host): Check {
  return expect('nothing is left of unfinished runs', askHost(host, unfinishedRuns), (all) => {
    const [first, ...details] = (all ?? []).flat()
    return first === undefined
      ? undefined
      : new Problem(first, { details, next: 'The next run makes it good: run the playbook again.' })
  })
}

const unfinishedRuns = ask(
  'what runs have left behind',
  readAll<readonly string[]>([
    mapRead(pendingHandlers, (names) => names.map((name) => `pending handler: ${name}`)),
    mapRead(openDrains, (all) =>
      all.map((one) => `${one.host} is still drained (${one.label}); to undrain it: ${undrainCommand(one)}`),
    ),
    mapRead(unfinishedTransactions, (all) =>
      all.flatMap(({ label }) => (label === undefined ? [] : [`unfinished: transaction ${label}`])),
    ),
  ]),
)

/** Each question to a host once, even if several checks ask it. */
function asksOf(checks: readonly Check[]): readonly Ask[] {
  const byQuestion = new Map<Ask['question'], Map<string, Ask>>()
  for (const one of checks.flatMap(({ asks }) => asks)) {
    const byHost = byQuestion.get(one.question) ?? new Map<string, Ask>()
    byQuestion.set(one.question, byHost.set(one.host.name, one))
  }
  return [...byQuestion.values()].flatMap((byHost) => [...byHost.values()])
}

function findingOf(check: Check, { answers, unreachable }: Hosts): Finding {
  const { about, label, asks, ignoreUnreachable } = check
  if (!ignoreUnreachable && asks.some(({ host }) => unreachable.has(host.name)))
    return { about, label, outcome: 'unknown', ms: undefined, problem: undefined }
  const { problem, ...verdict } = verdictOf(check, answers)
  const outcome = !problem ? 'passed' : problem instanceof Unknown ? 'unknown' : 'failed'
  return { about, label, outcome, ...verdict, problem }
}

function verdictOf({ judge, about, source }: Check, answers: AnswerStore): Verdict {
  try {
    return judge((one) => answers.get(one))
  } catch (error) {
    if (error instanceof Unknown) {
      const { message, details, cause } = error
      return { problem: new Unknown(message, { details, cause }), ms: undefined }
    }
    const { message, where = source, details, next } = toProblem(error, about)
    const problem = new Problem(message, { details, ...(where && { where }), ...(next && { next }), cause: error })
    return { problem, ms: undefined }
  }
}
