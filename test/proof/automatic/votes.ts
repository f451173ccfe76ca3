import { killServer } from '../../operations/automatic-accidents.ts'
import { type Figures, nothingFailed, pause, type Row } from '../row.ts'
import type { Site } from '../site.ts'
import {
  accident,
  type Databases,
  repaired,
  UNATTENDED,
  withCluster,
  withPrimary,
  writesWithin,
  written,
} from './accident.ts'
import { away, replaced } from './crashes.ts'
import { operatorRows } from './operator.ts'

const NONE = '0 failed, same primary'
const MANY_VOTES = 'the majority is lost, with failsafe_mode off'

/** Longer than a primary tries to reach etcd (12 s) and than its lease (20 s), in milliseconds. */
const LOST = 25_000

/** Lost votes, and two losses at once. */
export const voteRows: readonly Row[] = [
  {
    name: 'automatic-etcd-member',
    event: "etcd's leader lost",
    limit: NONE,
    holds: undisturbed,
    operator: 'nothing',
    run: async (site) => withoutVotes(site, [await etcdLeader(site)], 10_000),
    control: { what: MANY_VOTES, run: (site) => withoutFailsafe(site) },
  },
  {
    name: 'automatic-majority',
    event: 'the majority of etcd lost (witness powered off, member of the replica killed), and back',
    limit: NONE,
    holds: undisturbed,
    operator: 'nothing',
    run: (site) => majorityLost(site),
    control: { what: 'failsafe_mode off', run: (site) => withoutFailsafe(site) },
  },
  {
    name: 'automatic-witness',
    event: "the witness powered off; then the primary's PostgreSQL killed",
    limit: '0 failed by the first, ≤ 5 s without a write by the second, 0 lost',
    holds: writesWithin(5_000),
    operator: 'nothing',
    run: (site) => withoutWitness(site),
    control: { what: 'the member of the replica is lost too', run: (site) => withoutWitness(site, { replica: true }) },
  },
  {
    name: 'automatic-two-balancer',
    event: 'the hosts of the primary and of the virtual IP powered off at once',
    limit: '≤ 25 s without a write, 0 lost',
    holds: writesWithin(UNATTENDED),
    operator: 'nothing',
    run: (site) => replaced(site, { fault: primaryAndBalancer, repair: repaired }),
    control: {
      what: 'automatic failover is paused',
      run: (site) => away(site, { pause: true }, primaryAndBalancer),
    },
  },
  ...operatorRows,
]

function undisturbed(figures: Figures): boolean {
  return nothingFailed(figures) && figures.besides?.good !== false
}

/** The member that leads etcd, by the name of its host. */
async function etcdLeader(site: Site): Promise<string> {
  const said = await site.on('db1', 'provision-etcdctl endpoint status')
  const line = said.split('\n').find((one) => / (true|false), false,/.exec(one)?.[1] === 'true') ?? ''
  const host = site.lab.hosts.find(({ address }) => line.includes(`//${address}:`))
  if (!host) throw new Error(`no member leads:\n${said}`)
  return host.name
}

const STOP = 'systemctl mask --runtime -q etcd; systemctl kill -s KILL etcd'
const START = 'systemctl unmask --runtime -q etcd; systemctl start etcd'

async function withoutVotes(site: Site, hosts: readonly string[], ms: number): Promise<Figures> {
  const seen = await accident(site, async () => {
    await Promise.all(hosts.map((host) => site.on(host, STOP)))
    await pause(ms)
    await Promise.all(hosts.map((host) => site.on(host, START)))
  })
  return withPrimary(site, seen, 'same')
}

async function majorityLost(site: Site): Promise<Figures> {
  const seen = await accident(site, async ({ replica }) => {
    await Promise.all([site.lab.kill('witness1'), site.on(replica, STOP)])
    await pause(LOST)
    await Promise.all([site.lab.start('witness1'), site.on(replica, START)])
  })
  return withPrimary(site, seen, 'same')
}

function withoutFailsafe(site: Site): Promise<Figures> {
  return withCluster(site, { failsafe_mode: false }, { failsafe_mode: true }, () => majorityLost(site))
}

/** @param replica true to lose the vote of the replica, too */
async function withoutWitness(site: Site, { replica: both = false } = {}): Promise<Figures> {
  let killed = Number.POSITIVE_INFINITY
  const seen = await accident(site, async ({ primary, replica }, load) => {
    await Promise.all([site.lab.kill('witness1'), both && site.on(replica, STOP)])
    await pause(8_000)
    killed = Date.now()
    await killServer(site.lab, primary)
    if (both) await pause(12_000)
    else await written(load)
    await Promise.all([site.lab.start('witness1'), both && site.on(replica, START)])
  })
  const early = [...seen.failed, ...seen.unknown].filter(({ ended }) => ended < killed).length
  return {
    ...seen,
    besides: { good: early === 0, words: `${early} failed before PostgreSQL was killed` },
  }
}

async function primaryAndBalancer(site: Site, { primary }: Databases): Promise<void> {
  const { holder } = await site.balancers()
  await Promise.all([site.lab.kill(primary), site.lab.kill(holder)])
}
