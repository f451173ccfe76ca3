import type { RunEvent } from '../../model/event.ts'
import { Problem } from '../../model/problem.ts'
import {
  manualRecoveryCommand,
  parseRecovery,
  recoverTransaction,
  type UnfinishedTransaction,
} from '../../resources/transaction/rollback.ts'
import { Secret } from '../../shell/secret.ts'
import type { Session } from '../../transport/session/session.ts'

/** Milliseconds for one recovery: it waits for a transaction that still runs, and activates the old files. */
const RECOVERY_TIMEOUT = 300_000

interface UnfinishedHost {
  readonly name: string
  readonly session: Session
  readonly unfinished: readonly UnfinishedTransaction[]
}

/**
 * Rolls back the transactions that an earlier run has left unfinished because it crashed or was killed. Files that have changed since are
 * kept with the removed files.
 *
 * @returns the first failure
 */
export async function recoverTransactions(
  { name: host, session, unfinished }: UnfinishedHost,
  emit: (event: RunEvent) => void,
): Promise<Problem | undefined> {
  const scripts = unfinished.map((one) => ({
    script: recoverTransaction(one),
    mode: 'isolated' as const,
    timeout: RECOVERY_TIMEOUT,
  }))
  const results = await session.run(scripts)
  let failure: Problem | undefined
  for (const [i, { id, label }] of unfinished.entries()) {
    const outcome = parseRecovery(results[i]?.stdout.toString() ?? '')
    if (label === undefined || outcome === 'finished') continue
    const output = Secret.redact(results[i]?.stderr.toString() ?? '')
    const details = output.split('\n').filter((line) => line !== '')
    if (outcome !== undefined) emit({ kind: 'recovered', host, label, outcome, details })
    else
      failure ??= new Problem(`${host}: the transaction ${label} of an earlier run could not be rolled back`, {
        details: [...details, `on ${host}: ${manualRecoveryCommand({ id })}`],
        next: 'Fix the cause, then run the same command again. Nothing else changed on this host.',
      })
  }
  return failure
}

/** Reports unfinished transactions without a change. */
export function reportTransactions({ name: host, unfinished }: UnfinishedHost, emit: (event: RunEvent) => void): void {
  for (const { label } of unfinished)
    if (label !== undefined) emit({ kind: 'recovered', host, label, outcome: 'planned', details: [] })
}
