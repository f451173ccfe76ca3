import { after, flag, gate, mapAnswers, Problem, play, playbook, withDescription } from 'provision-ts'
import { postgresReplication } from '../roles/postgres/index.ts'
import { readDisableSyncPlan } from '../roles/postgres/lib/plans.ts'
import { storedRecord } from '../roles/postgres/resources/record.ts'
import { NEXT_RUN, recorders, sameForAll } from './lib/record.ts'
import { site } from './schema.ts'
import { byHandOnly } from './tiers/automatic-operations.ts'

/** Writes go on although the replica is lost. The record comes first: the replica must not become the primary without a word. */
export default playbook(
  site,
  (values, wishes) => {
    const { db } = values
    byHandOnly(
      values,
      'disable-sync-replication',
      values.synchronous === 'strict'
        ? 'Set synchronous: true in the inventory, and run provision: then Patroni lets writes continue.'
        : 'Patroni lets writes go on by itself some seconds after the last replica is lost.',
    )
    const hosts = recorders(values)
    const found = readDisableSyncPlan(db, hosts, wishes)
    const same = sameForAll()
    return [
      gate(
        'disable-sync-replication: preconditions',
        { ...hosts, ignoreUnreachable: NEXT_RUN },
        mapAnswers(found, (one) => (one instanceof Problem ? one : undefined)),
      ),
      play('database: record of the primary', { hosts, anyErrorsFatal: true, ignoreUnreachable: NEXT_RUN }, () =>
        after(found, (one) => !(one instanceof Problem) && one.record && storedRecord({ record: same(one.record) })),
      ),
      play('database: commits without a replica', { hosts: db, ignoreUnreachable: NEXT_RUN }, (host) =>
        after(
          found,
          (one) =>
            !(one instanceof Problem) &&
            host === one.primary &&
            postgresReplication({ version: host.version, replicas: [], synchronous: [] }),
        ),
      ),
    ]
  },
  {
    description:
      'Lets the primary of the database acknowledge writes without a replica: what is written until one follows again is lost with the primary. The next run of the site ends it once one does.',
    flags: {
      acceptDataLoss: withDescription('continue although no host can confirm that there was no later primary', flag),
    },
  },
)
