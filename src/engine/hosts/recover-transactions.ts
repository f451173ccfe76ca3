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

/** How long one may take: it waits for a transaction that goes on, and puts the old files in force. */
const PATIENCE = 300_000

export interface UnfinishedHost {
  readonly host: string
  readonly session: Session
  readonly unfinished: readonly UnfinishedTransaction[]
}

/**
 * Brings transactions to an end that an earlier run has left cut off on a host, by a crash or a kill: the old files are put back,
 * and in force. Files that were changed meanwhile are kept among what was removed.
 *
 * @returns what went wrong
 */
export async function recoverTransactions(
  { host, session, unfinished }: UnfinishedHost,
  emit: (event: RunEvent) => void,
): Promise<Problem | undefined> {
  const scripts = unfinished.map((one) => ({
    script: recoverTransaction(one),
    mode: 'isolated' as const,
    timeout: PATIENCE,
  }))
  const results = await session.run(scripts)
  let trouble: Problem | undefined
  for (const [i, { id, label }] of unfinished.entries()) {
    const result = results[i]
    const outcome = parseRecovery(result?.stdout.toString() ?? '')
    if (label === undefined || outcome === 'finished') continue
    const words = Secret.redact(result?.stderr.toString() ?? '')
    const details = words.split('\n').filter((line) => line !== '')
    if (outcome === undefined) {
      trouble ??= new Problem(
        `${host}: the transaction ${label}, cut off in an earlier run, could not be taken back`,
        {
          details: [...details, `on ${host}: ${manualRecoveryCommand({ id })}`],
          next: 'Mend what kept it, then run the same command again. Nothing else was done on this host.',
        },
      )
    } else emit({ kind: 'recovered', host, label, outcome, details })
  }
  return trouble
}

/** Tells of them, and leaves them as they are. */
export function reportTransactions(
  { host, unfinished }: Omit<UnfinishedHost, 'session'>,
  emit: (event: RunEvent) => void,
): void {
  for (const { label } of unfinished)
    if (label !== undefined) emit({ kind: 'recovered', host, label, outcome: 'planned', details: [] })
}
