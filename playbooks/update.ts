import { after, choice, flag, type Play, packageUpgrades, play, playbook } from 'provision-ts'
import { following } from '../roles/postgres/following.ts'
import { pauseSyncReplication } from '../roles/postgres/unwaited.ts'
import { primaryOf } from '../roles/postgres-primary/index.ts'
import { current } from './current-code.ts'
import { gate, sparing, TIERS, type TierName } from './gates.ts'
import { leavingOut } from './maintenance-mark.ts'
import { notOnPrimary } from './primary.ts'
import { asIs } from './releases.ts'
import { site } from './stack.ts'
import { appTier, balancerTier, databaseTier, type Site, type TierOptions, webTier } from './tiers.ts'

/** One tier by itself: its state, and on demand the updates of its packages, with the restarts that they ask for. */
export default playbook(
  site,
  (values, { tier, packages, outage }) => [
    leavingOut(values),
    gate(`may the update of ${tier} begin?`, values[tier].hosts, sparing(values, tier, { outage })),
    ...playsOf(tier, values, { packages, outage }),
  ],
  {
    description:
      'Brings one tier alone to its state, host by host, each out of service meanwhile. With --packages its packages are brought up to date, and services that still run what was replaced are restarted.',
    flags: { tier: choice(...TIERS), packages: flag, outage: flag },
  },
)

interface Wanted {
  readonly packages: boolean
  readonly outage: boolean
}

function playsOf(tier: TierName, values: Site, { packages, outage }: Wanted): readonly Play[] {
  const options = (...units: readonly string[]): TierOptions => ({
    serial: 1,
    outage,
    release: asIs,
    turn: (_host, own) => (packages ? [packageUpgrades(), own, units.map((unit) => current(unit))] : own),
  })
  const all = {
    web: () => webTier(values, options('haproxy', 'nginx')),
    app: () => appTier(values, options('notes')),
    lb: () => balancerTier(values, { ...options('haproxy', 'keepalived'), moving: packages }),
    db: () => [
      ...(packages ? replicas(values) : []),
      ...databaseTier(values),
      ...(packages ? primary(values) : []),
    ],
  }
  return all[tier]()
}

function replicas({ db }: Site): readonly Play[] {
  return [
    play(
      'database: updates of replicas',
      { hosts: db, serial: 1, drain: pauseSyncReplication(db), readiness: following },
      (host) => after(primaryOf(db), (primary) => host !== primary && [packageUpgrades(), current(DATABASE)]),
    ),
  ]
}

const DATABASE = 'postgresql@*-main'

/** What has to be restarted there would stop writes: a switchover first makes it a replica. */
function primary({ db }: Site): readonly Play[] {
  return [
    play('database: updates of the primary', { hosts: db }, (host) =>
      after(
        primaryOf(db),
        (primary) => host === primary && notOnPrimary(host, [...packageUpgrades(), current(DATABASE)]),
      ),
    ),
  ]
}
