import { after, flag, gate, mapAnswers, Problem, play, playbook, withDescription } from 'provision-ts'
import { postgresReplication } from '../../roles/postgres/index.ts'
import { readDisableSyncPlan } from '../../roles/postgres/lib/plans.ts'
import { storedRecord } from '../../roles/postgres/resources/record.ts'
import { NEXT_RUN, recorders, sameForAll } from '../lib/record.ts'
import { siteSchema } from '../schema.ts'
import { requireManualFailover } from '../tiers/automatic-operations.ts'
import { type OperationOptions, type SiteOperation, withOwnPlays } from './operation.ts'

/**
 * Writes continue although the replica is lost. The record is written first, so that a failover to the replica reports the possible loss.
 *
 * @example
 * import { disableSyncReplication } from 'provision-ts/stack'
 *
 * export default disableSyncReplication()
 */
export function disableSyncReplication(own: OperationOptions = {}): SiteOperation {
  return withOwnPlays(
    own,
    playbook(
      siteSchema,
      (values, flags) => {
        const { db } = values
        requireManualFailover(
          values,
          'disable-sync-replication',
          values.synchronous === 'strict'
            ? 'Set synchronous: true in the inventory, and run provision: then Patroni lets writes continue.'
            : 'Patroni lets writes continue some seconds after the last replica is lost.',
        )
        const hosts = recorders(values)
        const found = readDisableSyncPlan(db, hosts, flags)
        // The gate reports a Problem, once for all hosts.
        const possible = mapAnswers(found, (one) => (one instanceof Problem ? undefined : one))
        const same = sameForAll()
        return [
          gate(
            'disable-sync-replication: preconditions',
            { ...hosts, ignoreUnreachable: NEXT_RUN },
            mapAnswers(found, (one) => (one instanceof Problem ? one : undefined)),
          ),
          play('database: record of the primary', { hosts, anyErrorsFatal: true, ignoreUnreachable: NEXT_RUN }, () =>
            after(possible, (one) => one?.record && storedRecord({ record: same(one.record) })),
          ),
          play('database: disable synchronous replication', { hosts: db, ignoreUnreachable: NEXT_RUN }, (host) =>
            after(
              possible,
              (one) =>
                host === one?.primary && postgresReplication({ version: host.version, replicas: [], synchronous: [] }),
            ),
          ),
        ]
      },
      {
        description:
          'Makes the primary acknowledge writes without a replica. Writes until a replica follows again are lost if the primary is lost. The next run of the site after that enables synchronous replication again.',
        flags: {
          acceptDataLoss: withDescription(
            'continue although no host can confirm that there was no later primary',
            flag,
          ),
        },
      },
    ),
  )
}
