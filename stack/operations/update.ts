import {
  after,
  choice,
  flag,
  gate,
  type Play,
  packageUpgrades,
  play,
  playbook,
  type Step,
  withDescription,
} from 'provision-ts'
import { runningUnits } from '../../roles/app/index.ts'
import { primaryOf } from '../../roles/postgres/index.ts'
import { pauseSyncReplication } from '../../roles/postgres/lib/pause-sync-replication.ts'
import { restartIfOutdated } from '../lib/current-code.ts'
import { isAutomatic } from '../lib/database-params.ts'
import { outageFlag, requireReplicaLeft, requireSpareHost, TIERS, type TierName } from '../lib/gates.ts'
import { skipMaintenance } from '../lib/maintenance.ts'
import { notOnPrimary } from '../lib/not-on-primary.ts'
import { currentRelease } from '../lib/releases.ts'
import type { TierOptions } from '../lib/tier.ts'
import { type Site, siteSchema } from '../schema.ts'
import { appTier } from '../tiers/app.ts'
import { allVotes, databaseReadiness } from '../tiers/automatic-operations.ts'
import { balancerTier } from '../tiers/balancer.ts'
import { databaseTier } from '../tiers/database-hosts.ts'
import { webTier } from '../tiers/web.ts'
import { type OperationOptions, type SiteOperation, withOwnPlays } from './operation.ts'

/**
 * Updates one tier only: its state, and with `--packages` its packages, with the restarts that they require.
 *
 * @example
 * import { update } from 'provision-ts/stack'
 *
 * export default update()
 */
export function update(own: OperationOptions = {}): SiteOperation {
  return withOwnPlays(
    own,
    playbook(
      siteSchema,
      (values, { tier, packages, outage }) => [
        skipMaintenance(values),
        gate(
          `update of ${tier}: preconditions`,
          values[tier],
          requireSpareHost(values, tier, { outage }),
          tier === 'db' && packages && isAutomatic(values) && allVotes(values),
          tier === 'db' && packages && requireReplicaLeft(values, { outage }),
        ),
        ...playsOf(tier, values, { packages, outage }),
      ],
      {
        description:
          'Updates one tier, host by host; each host is drained meanwhile. With --packages it upgrades the packages, and restarts services that run replaced files.',
        flags: {
          tier: withDescription('the tier to update', choice(...TIERS)),
          packages: withDescription('upgrade packages and restart services that use old code', flag),
          outage: outageFlag,
        },
      },
    ),
  )
}

interface Wanted {
  readonly packages: boolean
  readonly outage: boolean
}

function playsOf(tier: TierName, values: Site, { packages, outage }: Wanted): readonly Play[] {
  const options = (...units: readonly string[]): TierOptions => ({
    serial: 1,
    outage,
    release: currentRelease(values),
    steps: (_host, own) => (packages ? [packageUpgrades(), own, units.map((unit) => restartIfOutdated(unit))] : own),
  })
  const all = {
    web: () => webTier(values, options('haproxy', 'nginx')),
    app: () => appTier(values, options(...runningUnits(values.application))),
    lb: () => balancerTier(values, { ...options('haproxy', 'keepalived'), moveVip: packages }),
    db: () => [...(packages ? replicas(values) : []), ...databaseTier(values), ...(packages ? primary(values) : [])],
  }
  return all[tier]()
}

function replicas(values: Site): readonly Play[] {
  const { db, witness } = values
  const readiness = databaseReadiness(values)
  return [
    play(
      'database: updates of replicas',
      { hosts: db, serial: 1, drain: pauseSyncReplication(db), readiness },
      (host) => after(primaryOf(db), (primary) => host !== primary && [packageUpgrades(), restartDatabase(values)]),
    ),
    play(
      'witness: updates',
      { hosts: witness, serial: 1, readiness },
      () => isAutomatic(values) && [packageUpgrades(), restartIfOutdated('etcd')],
    ),
  ]
}

/** A restart of Patroni restarts the server of a replica, and removes it from the synchronous replicas first. */
function restartDatabase(values: Site): readonly Step[] {
  return isAutomatic(values)
    ? [restartIfOutdated('etcd'), restartIfOutdated('postgresql@*-main', 'patroni'), restartIfOutdated('patroni')]
    : [restartIfOutdated('postgresql@*-main')]
}

/** A restart of the primary would stop writes, so it is refused: switch over first. */
function primary(values: Site): readonly Play[] {
  const { db } = values
  return [
    play('database: updates of the primary', { hosts: db }, (host) =>
      after(
        primaryOf(db),
        (primary) => host === primary && notOnPrimary(host, [...packageUpgrades(), ...restartDatabase(values)]),
      ),
    ),
  ]
}
