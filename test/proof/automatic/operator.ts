import { eventually } from '../../integration/support.ts'
import { leaderIn } from '../../operations/automatic-accidents.ts'
import { rolesIn } from '../../operations/automatic-site.ts'
import type { Load } from '../load.ts'
import { type Figures, pause, type Row } from '../row.ts'
import type { Site } from '../site.ts'
import { accident, asynchronously, type Databases, UNATTENDED, written } from './accident.ts'

/** Seconds from the act of the operator to a write: a lease begins again with the majority, and a host boots. */
const RESOLVED = 30

/** The advice of `failover` in each case. */
const MAJORITY = 'Bring back a majority of the members of etcd'
const OLD_PRIMARY = 'Repair the old primary if possible'

/** Two losses at once that Patroni does not resolve: no write is lost, and `failover` prints the next action. */
export const operatorRows: readonly Row[] = [
  {
    name: 'automatic-two-witness',
    event: 'the hosts of the primary and of the witness powered off at once; then the witness on',
    limit: 'no promotion, correct advice; writes ≤ 30 s after the witness is on, 0 lost',
    holds: resolved,
    operator: 'powers one of the two hosts on',
    run: (site) => unresolved(site, LOST_MAJORITY),
    control: {
      what: 'the witness is not powered off',
      run: (site) => unresolved(site, { ...LOST_MAJORITY, off: ({ primary }) => [primary], on: () => [] }),
    },
  },
  {
    name: 'automatic-two-replica',
    event: 'the hosts of the replica and of the witness powered off at once; then the witness on',
    limit: 'no write without a majority, correct advice; writes ≤ 30 s after the witness is on, 0 lost',
    holds: resolved,
    operator: 'powers one of the two hosts on',
    run: (site) => unresolved(site, LOST_REPLICA),
    control: {
      what: 'the witness is not powered off',
      run: (site) => unresolved(site, { ...LOST_REPLICA, off: ({ replica }) => [replica], on: () => [] }),
    },
  },
  {
    name: 'automatic-stale',
    event: 'the host of the replica powered off, then that of the primary; then the replica on, then the primary',
    limit: 'no promotion, correct advice; writes ≤ 30 s after the primary is on, 0 lost',
    holds: resolved,
    operator: 'powers the primary on',
    run: (site) => stale(site),
    control: {
      what: 'asynchronous replication',
      run: (site) => stale(site, { asynchronous: true }),
    },
  },
]

type Hosts = (databases: Databases) => readonly string[]

interface Unresolved {
  readonly advice: string
  /** The host that must answer reads meanwhile. */
  readonly reads: (databases: Databases) => string
  /** The hosts that are powered off, those that the operator powers on, and those that are powered on later. */
  readonly off: Hosts
  readonly on: Hosts
  readonly afterwards: Hosts
  /** The primary at the end. */
  readonly leader: (databases: Databases) => string
}

const LOST_MAJORITY: Unresolved = {
  advice: MAJORITY,
  reads: ({ replica }) => replica,
  off: ({ primary }) => [primary, 'witness1'],
  on: () => ['witness1'],
  afterwards: ({ primary }) => [primary],
  leader: ({ replica }) => replica,
}

const LOST_REPLICA: Unresolved = {
  advice: MAJORITY,
  reads: ({ primary }) => primary,
  off: ({ replica }) => [replica, 'witness1'],
  on: () => ['witness1'],
  afterwards: ({ replica }) => [replica],
  leader: ({ primary }) => primary,
}

function resolved({ seconds = Number.POSITIVE_INFINITY, lost = 1, besides }: Figures): boolean {
  return seconds <= RESOLVED && lost === 0 && (besides?.good ?? false)
}

async function unresolved(site: Site, { advice, reads, off, on, afterwards, leader }: Unresolved): Promise<Figures> {
  const all = (hosts: readonly string[], verb: 'kill' | 'start') =>
    Promise.all(hosts.map((host) => site.lab[verb](host)))
  let back = 0
  let found: Advice | undefined
  const seen = await accident(site, async (hosts, load) => {
    await all(off(hosts), 'kill')
    await pause(UNATTENDED)
    found = await advised(site, advice, reads(hosts))
    back = Date.now()
    await all(on(hosts), 'start')
    await written(load)
    await all(afterwards(hosts), 'start')
  })
  return judged(site, seen, { found, back, leader: leader(seen) })
}

/** The replica lacks the last writes, and the host that has them is off. */
async function stale(site: Site, { asynchronous = false } = {}): Promise<Figures> {
  let back = 0
  let found: Advice | undefined
  const act = async ({ primary, replica }: Databases, load: Load) => {
    await site.lab.kill(replica)
    // Writes continue when the primary has removed the replica.
    await eventually(async () => (await rolesIn(site.lab)).candidate === undefined)
    await written(load)
    await site.lab.kill(primary)
    await site.lab.start(replica)
    // Its lease has ended, and the replica has had the time to take over.
    await pause(UNATTENDED + 5_000)
    found = await advised(site, OLD_PRIMARY, replica)
    back = Date.now()
    await site.lab.start(primary)
    await written(load)
  }
  const seen = await accident(site, (hosts, load) =>
    asynchronous ? asynchronously(site, () => act(hosts, load)) : act(hosts, load),
  )
  return judged(site, seen, { found, back, leader: seen.primary })
}

interface Advice {
  readonly given: boolean
  readonly reads: boolean
  readonly writes: boolean
}

/** The answer of `failover`, and of a database host, before the operator does anything. */
async function advised(site: Site, advice: string, reader: string): Promise<Advice> {
  const { code, text } = await site.provision('failover')
  return {
    given: code !== 0 && text.includes(advice),
    reads: (await site.query(reader, 'select count(*) >= 0 from notes.note')) === 't',
    writes: (await site.query(reader, 'select pg_is_in_recovery()')) === 'f',
  }
}

interface Judged {
  readonly found: Advice | undefined
  /** The time at which the operator acts, in milliseconds since 1970. */
  readonly back: number
  readonly leader: string
}

type Seen = Awaited<ReturnType<typeof accident>>

async function judged(site: Site, seen: Seen, { found, back, leader }: Judged): Promise<Figures> {
  const again = seen.written.find((at) => at > back)
  const leads = await leaderIn(site.lab)
  const { given = false, reads = false, writes = true } = found ?? {}
  return {
    ...seen,
    seconds: again === undefined ? Number.POSITIVE_INFINITY : (again - back) / 1000,
    besides: {
      good: given && reads && !writes && leads === leader,
      words: [
        writes ? 'a host accepts writes' : 'no host accepts writes',
        reads ? 'reads are answered' : 'reads are not answered',
        given ? 'correct advice' : 'no advice',
        ...(leads === leader ? [] : [`${leads} is the primary`]),
      ].join(', '),
    },
  }
}
