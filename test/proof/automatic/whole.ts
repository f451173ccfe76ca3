import { killServer, wholeCluster } from '../../operations/automatic-accidents.ts'
import { type Figures, nothingFailed, pause, type Row } from '../row.ts'
import type { Site } from '../site.ts'
import { accident, withPrimary, writesWithin, written } from './accident.ts'
import { adopted } from './adoption.ts'
import { replaced } from './crashes.ts'

/** The longest time without a write after a power loss of all hosts, in seconds. */
const ON = 60

/** Planned changes, and a power loss of the whole site. */
export const wholeAutomaticRows: readonly Row[] = [
  {
    name: 'automatic-switchover',
    event: 'database switchover',
    limit: '≤ 1.5 s without a write, 0 lost, 0 failed',
    holds: (figures) => nothingFailed(figures) && writesWithin(1_500)(figures),
    operator: '`provision switchover`',
    run: async (site) => withPrimary(site, await accident(site, () => site.must('switchover')), 'moved'),
    control: {
      what: 'the primary is killed instead',
      run: (site) => replaced(site, { fault: ({ lab }, { primary }) => killServer(lab, primary) }),
    },
  },
  {
    name: 'automatic-adoption',
    event: 'from manual to automatic failover, the run killed in the middle and repeated',
    limit: '0 failed, 0 lost, no promotion, automatic at the end',
    holds: (figures) => nothingFailed(figures) && (figures.besides?.good ?? false),
    operator: 'runs the same command again',
    run: (site) => adopted(site, { repeated: true }),
    control: { what: 'the run is not repeated', run: (site) => adopted(site, { repeated: false }) },
  },
  {
    name: 'automatic-all-off',
    event: 'all nine hosts powered off, and on in random order',
    limit: 'writes ≤ 60 s after the last host is on, 0 lost',
    holds: ({ seconds = Number.POSITIVE_INFINITY, lost = 1 }) => seconds <= ON && lost === 0,
    operator: 'nothing',
    run: (site) => allOff(site),
    control: {
      what: `Patroni is not enabled, for ${ON + 5} s`,
      run: async (site) => {
        await onDatabases(site, 'systemctl disable -q patroni')
        return allOff(site, async () => {
          await pause((ON + 5) * 1000)
          await onDatabases(site, 'systemctl enable -q --now patroni')
        })
      },
    },
  },
]

/** @param before happens when all hosts are on, and is part of the time without a write */
async function allOff(site: Site, before: () => Promise<unknown> = async () => {}): Promise<Figures> {
  let on = 0
  const hosts = site.lab.hosts.map(({ name }) => name)
  const off = shuffled(hosts)
  const order = shuffled(hosts)
  const seen = await accident(site, async (_hosts, load) => {
    await Promise.all(off.map((name) => site.lab.kill(name)))
    for (const name of order) await site.lab.start(name)
    on = Date.now()
    await before()
    await wholeCluster(site.lab)
    await written(load)
  })
  const again = seen.written.find((at) => at > on)
  return {
    ...seen,
    seconds: again === undefined ? Number.POSITIVE_INFINITY : (again - on) / 1000,
    besides: { good: true, words: `on in the order ${order.join(', ')}` },
  }
}

function onDatabases(site: Site, command: string) {
  return Promise.all(['db1', 'db2'].map((host) => site.on(host, command)))
}

function shuffled<T>(all: readonly T[]): readonly T[] {
  return all
    .map((one) => ({ one, key: Math.random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ one }) => one)
}
