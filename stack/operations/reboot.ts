import {
  after,
  ask,
  askHost,
  flag,
  gate,
  type Host,
  mapAnswers,
  type Play,
  Problem,
  play,
  playbook,
  read,
  reboot as rebootHost,
  type Steps,
  sh,
  withDescription,
} from 'provision-ts'
import { pauseSyncReplication } from '../../roles/postgres/lib/pause-sync-replication.ts'
import { isAutomatic } from '../lib/database-params.ts'
import { outageFlag, requireReplicaLeft, requireSpareHost, TIERS } from '../lib/gates.ts'
import { skipMaintenance } from '../lib/maintenance.ts'
import { primaryIn } from '../lib/record.ts'
import type { TierOptions } from '../lib/tier.ts'
import { type Site, siteSchema } from '../schema.ts'
import { appTier } from '../tiers/app.ts'
import { failoverModePlays } from '../tiers/automatic-failover.ts'
import { allVotes, databaseReadiness, movePrimary } from '../tiers/automatic-operations.ts'
import { balancerTier } from '../tiers/balancer.ts'
import { databaseRoles } from '../tiers/database.ts'
import { webTier } from '../tiers/web.ts'
import { type OperationOptions, type SiteOperation, withOwnPlays } from './operation.ts'

/**
 * Reboots all hosts one after another. Each is out of service meanwhile, and healthy before the next one starts.
 *
 * @example
 * import { reboot } from 'provision-ts/stack'
 *
 * export default reboot()
 */
export function reboot(own: OperationOptions = {}): SiteOperation {
  return withOwnPlays(
    own,
    playbook(
      siteSchema,
      (values, { required, outage }) => {
        const steps = () => (required ? rebootHost() : rebootHost({ always: true }))
        const options: TierOptions = { serial: 1, outage, steps }
        return [
          skipMaintenance(values),
          ...TIERS.map((tier) =>
            gate(
              `reboot of ${tier}: preconditions`,
              values[tier],
              requireSpareHost(values, tier, { outage }),
              tier === 'db' && isAutomatic(values) && allVotes(values),
              tier === 'db' && requireReplicaLeft(values, { outage }),
            ),
          ),
          ...databases(values, steps, required),
          gate('database hosts are healthy', values.db),
          ...appTier(values, { ...options, label: 'app: reboot' }),
          gate('app hosts are healthy', values.app),
          ...webTier(values, { ...options, label: 'web: reboot' }),
          gate('web hosts are healthy', values.web),
          ...balancerTier(values, { label: 'balancers: reboot', steps, moveVip: true }),
        ]
      },
      {
        description:
          'Reboots every host, tier by tier and one at a time. Hosts are drained first, and the primary of the database is moved.',
        flags: {
          required: withDescription('only hosts on which an update requires it', flag),
          outage: outageFlag,
        },
      },
    ),
  )
}

/** Replicas first, then the primary after a switchover. */
function databases(values: Site, steps: () => Steps, required: boolean): readonly Play[] {
  const { db, witness } = values
  const options = {
    hosts: db,
    serial: 1,
    drain: pauseSyncReplication(db),
    readiness: databaseReadiness(values),
  } as const
  let first: Host | undefined
  // The primary changes during the run.
  const primaryAtFirst = mapAnswers(primaryIn(values), (primary) => {
    if (primary instanceof Problem) return primary
    first ??= primary
    return first
  })
  const alone = db.hosts.length === 1
  return [
    ...failoverModePlays(values),
    play('database: reboot of replicas', options, (host) =>
      after(primaryAtFirst, (primary) => host !== primary && steps()),
    ),
    play('witness: reboot', { hosts: witness, serial: 1, readiness: databaseReadiness(values) }, () => steps()),
    play('database: switchover', { hosts: db }, (host) =>
      after(primaryAtFirst, (primary) =>
        after(
          askHost(host, requiresReboot),
          (isRequired) =>
            host === primary && !alone && (isRequired || !required) && movePrimary(values, { from: host }),
        ),
      ),
    ),
    play('database: reboot of the old primary', options, (host) =>
      after(primaryAtFirst, (primary) => host === primary && steps()),
    ),
    ...databaseRoles(values),
  ]
}

const requiresReboot = ask(
  'does an update require a reboot?',
  read(sh`[ -e /run/reboot-required ]`, ({ code }) => code === 0),
)
