import { setTimeout as rest } from 'node:timers/promises'
import { wholeCluster } from '../../operations/automatic-accidents.ts'
import { sql } from '../../operations/database-load.ts'
import { Load } from '../load.ts'
import type { Figures } from '../row.ts'
import type { Site } from '../site.ts'
import { WRITES } from './accident.ts'

/** The plays of the move to automatic failover. Each repetition kills the run in the next of them. */
const PLAYS = [
  'database: cluster in etcd',
  'database: Patroni on replicas',
  'database: Patroni on the primary',
  'database: settings of replicas',
  'database: enable automatic failover',
] as const
let next = 0

/** The site gets manual failover; then the run that makes it automatic is killed in the middle. */
export async function adopted(site: Site, { repeated }: { readonly repeated: boolean }): Promise<Figures> {
  const automatic = site.edit('inventory/lab.ts', (text) => {
    const manual = text.replace("failover: 'automatic'", "failover: 'manual'")
    if (manual === text) throw new Error('The inventory of the lab does not set the mode of failover')
    return manual
  })
  try {
    await site.must('site')
  } finally {
    automatic()
  }
  const { primary } = await site.databases()
  const before = await servers(site, primary)
  const play = PLAYS[next++ % PLAYS.length] ?? PLAYS[0]
  let verified = false
  const { seen } = await Load.during(
    site.client,
    async (load) => {
      await load.reaches(100)
      await site.killed(play, 'site')
      if (repeated) await site.must('site')
      await rest(2_000)
    },
    WRITES,
  )
  const after = await servers(site, primary)
  verified = (await site.provision('verify')).code === 0
  if (!repeated) await site.must('site')
  await wholeCluster(site.lab)
  return {
    ...seen,
    besides: {
      good: verified && before === after,
      words: [
        `killed in “${play}”`,
        verified ? 'all checks pass' : 'checks fail',
        before === after ? 'servers and timeline unchanged' : 'servers or timeline changed',
      ].join(', '),
    },
  }
}

/** The main processes of both servers, and the timeline of the primary. */
async function servers(site: Site, primary: string): Promise<string> {
  const timeline = 'select timeline_id from pg_control_checkpoint()'
  const pids = await Promise.all(
    ['db1', 'db2'].map((host) => site.on(host, 'head -n 1 /var/lib/postgresql/17/main/postmaster.pid')),
  )
  const { stdout } = await sql(site.lab, primary, timeline)
  return [...pids, stdout.trim()].join(' ')
}
