import { spawnSync } from 'node:child_process'
import { expect } from 'chai'
import type { Cluster } from '../../roles/postgres/lib/cluster-state.ts'
import { raisesLimits } from '../../roles/postgres/lib/limits.ts'
import type { ReplicationState, Server } from '../../roles/postgres/lib/replication-state.ts'
import { pathsFor } from '../../roles/postgres/params.ts'
import { compareLsn, failover, planFailover } from '../../roles/postgres/resources/failover.ts'
import { planSwitchover, switchover } from '../../roles/postgres/resources/switchover.ts'
import { synchronousReplication } from '../../roles/postgres/resources/synchronous-replication.ts'
import { replicaData } from '../../roles/postgres-replica/resources/data.ts'
import type { Step } from '../../src/index.ts'
import { Problem } from '../../src/model/problem.ts'
import { accepted, wordsOf } from '../support/words.ts'
import { RECORD } from './records.ts'

const db1 = { name: 'db1', group: 'db', address: '198.18.0.41' }
const db2 = { name: 'db2', group: 'db', address: '198.18.0.42' }

const app1 = { name: 'app1', group: 'app', address: '198.18.0.31' }

const CLUSTER: Cluster = {
  ...{ kind: 'cluster', version: 15, standby: false, running: true },
  ...{ system: '77', timeline: 3, state: 'in production' },
}
const SERVER: Server = {
  ...{ synchronous: true, backup: false, oldestTransaction: 0, replicas: [], receiver: null },
  ...{ received: null, replayed: null, lastCommit: null },
}
const FOLLOWER = { name: 'db2', state: 'streaming', behind: 0, unapplied: 0 }

const primary = (server: Partial<Server> = {}): ReplicationState => ({
  cluster: CLUSTER,
  server: { ...SERVER, replicas: [FOLLOWER], ...server },
  ...{ uptime: 500, lastRecord: undefined, seesPrimary: false },
})
const replica = (server: Partial<Server> = {}, cluster: Partial<Cluster> = {}): ReplicationState => ({
  cluster: { ...CLUSTER, standby: true, ...cluster },
  server: {
    ...{ ...SERVER, receiver: { state: 'streaming', from: db1.address } },
    ...{ received: '0/5000', replayed: '0/5000', lastCommit: '2026-11-22 10:00:00+00', ...server },
  },
  ...{ uptime: 1000, lastRecord: undefined, seesPrimary: false },
})
const dead = (lastRecord: string): ReplicationState => ({
  cluster: { ...CLUSTER, running: false },
  ...{ server: undefined, uptime: 500, lastRecord, seesPrimary: false },
})

const both = (a: ReplicationState | undefined, b: ReplicationState | undefined) => [
  { host: db1, answer: a },
  { host: db2, answer: b },
]

function refusal(value: unknown): string {
  if (value instanceof Problem) return [value.message, ...value.details, value.next].join('\n')
  return `not refused: ${JSON.stringify(value)}`
}

describe('a switchover', () => {
  it('moves the primary to the replica that follows it, or to the requested one', () => {
    for (const to of [undefined, 'db2'])
      expect(planSwitchover(both(primary(), replica()), to)).to.deep.include({
        from: db1,
        to: db2,
        timeline: 3,
      })
  })

  it('allows the promotion for twenty seconds, by the clock of the promoted host', () => {
    expect(accepted(planSwitchover(both(primary(), replica())))?.deadline).to.equal(1020)
  })

  it('does nothing if the host is the primary already', () => {
    expect(planSwitchover(both(primary(), replica()), 'db1')).to.equal(undefined)
  })

  const cases: readonly (readonly [string, ReplicationState | undefined, ReplicationState | undefined, string])[] = [
    ['does not stream', primary({ replicas: [] }), replica(), 'does not stream from db1 (not connected)'],
    ['is catching up', primary({ replicas: [{ ...FOLLOWER, state: 'catchup' }] }), replica(), '(catchup)'],
    ['believes nothing', primary(), replica({ receiver: null }), 'does not stream'],
    ['is far behind', primary({ replicas: [{ ...FOLLOWER, behind: 2 ** 25 }] }), replica(), 'bytes behind'],
    ['applies late', primary({ replicas: [{ ...FOLLOWER, unapplied: 2 ** 25 }] }), replica(), 'bytes behind'],
    ['is on another timeline', primary(), replica({}, { timeline: 2 }), 'db2 is on timeline 2, db1 on 3'],
    ['is stopped', primary(), { ...replica({}, { running: false }), server: undefined }, 'not a replica that answers'],
    ['is out of reach', primary(), undefined, 'db2 cannot be reached'],
  ]
  for (const [what, a, b, words] of cases)
    it(`is rejected if the replica ${what}`, () => {
      expect(refusal(planSwitchover(both(a, b))))
        .to.include(words)
        .and.include('nothing was changed')
    })

  it('is rejected during a long transaction or a base backup', () => {
    expect(refusal(planSwitchover(both(primary({ oldestTransaction: 16 }), replica())))).to.include('open for 16 s')
    expect(refusal(planSwitchover(both(primary({ backup: true }), replica())))).to.include('base backup')
    expect(accepted(planSwitchover(both(primary({ oldestTransaction: 15 }), replica())))).not.to.equal(undefined)
  })

  it('is rejected for an unknown host, without a primary, and with two', () => {
    expect(refusal(planSwitchover(both(primary(), replica()), 'db3'))).to.include('There are db1, db2')
    expect(refusal(planSwitchover(both(dead('0/1'), replica())))).to.include('No primary answers')
    expect(refusal(planSwitchover(both(primary(), primary())))).to.include('two primaries')
  })
})

describe('a failover', () => {
  const wish = { acceptDataLoss: false }

  it('is rejected while the primary answers', () => {
    const said = refusal(planFailover(both(primary(), replica()), wish))
    expect(said).to.include('db1 is the primary and answers').and.include('provision switchover')
  })

  it('does nothing if the requested host is the primary', () => {
    expect(planFailover(both(primary(), replica()), { ...wish, to: 'db1' })).to.equal(undefined)
  })

  it('loses nothing if the replica has the last record that the dead primary wrote', () => {
    const found = accepted(planFailover(both(dead('0/4FF0'), replica({ synchronous: false })), wish))
    expect(found).to.deep.include({ to: db2, fenced: [db1], silent: [], waiting: [] })
    expect(found?.loss).to.include('nothing')
  })

  it('is rejected if a primary without synchronous replication wrote more', () => {
    const all = both(dead('0/5000'), replica({ synchronous: false }))
    expect(refusal(planFailover(all, wish))).to.include('Acknowledged writes may be lost')
    expect(accepted(planFailover(all, { acceptDataLoss: true }))?.loss).to.include('2026-11-22 10:00:00')
  })

  it('continues without an unreachable primary only if commits waited for the replica', () => {
    const found = accepted(planFailover(both(undefined, replica()), wish))
    expect(found).to.deep.include({ to: db2, fenced: [], silent: [db1] })
    expect(found?.loss).to.include('no acknowledged write').and.include('provision disable-sync-replication')
    expect(refusal(planFailover(both(undefined, replica({ synchronous: false })), wish))).to.include(
      '--accept-data-loss',
    )
  })

  it('is rejected if the replica reaches the primary that the controller cannot reach', () => {
    const all = both(undefined, { ...replica(), seesPrimary: true })
    expect(refusal(planFailover(all, { acceptDataLoss: true }))).to.include('only cannot be reached from here')
  })

  it('ignores the setting of a replica that has received nothing since its start', () => {
    expect(refusal(planFailover(both(undefined, replica({ received: null })), wish))).to.include(
      'has received nothing since it started',
    )
  })

  it('is rejected without a replica that answers', () => {
    expect(refusal(planFailover(both(undefined, undefined), wish))).to.include('Start one')
  })

  describe('with two replicas', () => {
    const db3 = { name: 'db3', group: 'db', address: '198.18.0.43' }
    const all = (a: ReplicationState | undefined, b: ReplicationState | undefined, c: ReplicationState | undefined) => [
      ...both(a, b),
      { host: db3, answer: c },
    ]

    it('promotes the one that has received most', () => {
      const found = accepted(planFailover(all(undefined, replica(), replica({ received: '0/6000' })), wish))
      expect(found).to.deep.include({ to: db3, silent: [db1], waiting: [db2] })
      expect(found?.loss).to.include('no acknowledged write')
    })

    it('is rejected for the one with less, as commits wait for any one of them', () => {
      const found = all(undefined, replica(), replica({ received: '0/6000' }))
      expect(refusal(planFailover(found, { ...wish, to: 'db2' }))).to.include('db3 has received more')
      expect(accepted(planFailover(found, { to: 'db2', acceptDataLoss: true }))?.to).to.equal(db2)
    })

    it('is rejected while another replica does not answer, which may have more', () => {
      const said = refusal(planFailover(all(undefined, replica(), undefined), wish))
      expect(said).to.include('another replica may have more, and does not answer (db1, db3)')
    })

    it('is rejected while the other replica reaches the old primary, which then still acknowledges writes', () => {
      const found = all(undefined, replica({ received: '0/6000' }), { ...replica(), seesPrimary: true })
      expect(refusal(planFailover(found, { acceptDataLoss: true }))).to.include('db3 has a connection to its primary')
    })
  })

  it('compares states in the WAL as numbers', () => {
    expect(compareLsn('0/FF', '1/0')).to.equal(-1)
    expect(compareLsn('10/0', 'F/FFFFFFFF')).to.equal(1)
    expect(compareLsn(undefined, '0/1')).to.equal(-1)
    expect(compareLsn('0/5', '0/5')).to.equal(0)
  })
})

describe('rejoining', () => {
  const step = (oldPrimary: 'refuse' | 'rewind' | 'copy') =>
    replicaData({
      ...{ host: 'db1', paths: pathsFor(15), primary: db2, slot: 'db1', oldPrimary },
      found: { ...CLUSTER, timeline: 4 },
    })

  it('converts an old primary only on request', async () => {
    expect(await wordsOf(() => step('refuse').diff(CLUSTER))).to.include('provision rejoin --host db1')
    expect(step('rewind').diff(CLUSTER)?.fields[0]?.to).to.equal('rewound to db2')
    expect(step('copy').diff(CLUSTER)?.fields[0]?.to).to.include('the old data are kept')
    expect(step('rewind').diff({ ...CLUSTER, standby: true })).to.equal(undefined)
  })

  it('is rejected for data of another system, and for those of a later timeline', async () => {
    expect(await wordsOf(() => step('rewind').diff({ ...CLUSTER, system: '78' }))).to.include('another system')
    expect(await wordsOf(() => step('copy').diff({ ...CLUSTER, timeline: 5 }))).to.include('rejoin --host db2')
  })

  it('deletes only the temporary directory of an earlier run', () => {
    for (const oldPrimary of ['rewind', 'copy'] as const) {
      const text = textOf(step(oldPrimary), CLUSTER)
      const removals = text.match(/rm -rf \S+/g)?.filter((one) => !one.includes('"$at"')) ?? []
      expect(removals).to.deep.equal(['rm -rf /var/lib/postgresql/15/.main.provision'])
      expect(text).to.include('/var/lib/postgresql/15/main.before-')
    }
  })
})

describe('synchronous replication', () => {
  const on = synchronousReplication({ replicas: [db2], paths: pathsFor(15) })
  const off = synchronousReplication({ replicas: [], paths: pathsFor(15) })
  const waiting = { names: 'ANY 1 ("db2")', marked: true }

  it('starts when a replica streams, and no run ends it', () => {
    expect(on.diff({ names: '', marked: false, streaming: true })?.action).to.equal('change')
    expect(on.diff({ names: '', marked: false, streaming: false })).to.equal(undefined)
    expect(on.diff({ ...waiting, streaming: false })).to.equal(undefined)
    expect(on.diff({ ...waiting, streaming: true })).to.equal(undefined)
    expect(off.diff({ ...waiting, streaming: false })?.action).to.equal('change')
  })

  it('is recorded after its start, and not recorded any more before its end', () => {
    const inputs = (step: Step) =>
      step.apply(undefined).map(({ input }) => Buffer.from((input as Buffer) ?? '').toString())
    expect(inputs(on).map((text) => text.includes(`provision.synchronous = 'on'`))).to.deep.equal([false, true])
    expect(inputs(off).map((text) => text.includes('reset provision.synchronous'))).to.deep.equal([true, false])
  })
})

describe('limits of a primary', () => {
  const has = {
    ...{ max_connections: 100, max_worker_processes: 8, max_wal_senders: 10 },
    ...{ max_prepared_transactions: 0, max_locks_per_transaction: 64 },
  }

  it('are raised on replicas first, and lowered on the primary first', () => {
    expect(raisesLimits({ settings: { max_connections: 101 } }, has)).to.equal(true)
    expect(raisesLimits({ settings: { max_connections: 99 } }, has)).to.equal(false)
    expect(raisesLimits({}, has)).to.equal(false)
    expect(raisesLimits({ settings: { max_connections: 101 } }, undefined)).to.equal(false)
  })
})

describe('the scripts of the operations', () => {
  const steps: Readonly<Record<string, readonly [Step, unknown]>> = {
    switchover: [
      switchover({
        ...{ from: db1, to: db2, timeline: 1, next: 2, version: 15, system: '77', deadline: 99 },
        ...{ others: [db1], record: { make: () => RECORD, on: [app1, db1] } },
      }),
      undefined,
    ],
    failover: [
      failover({
        ...{ to: db2, version: 15, system: '77', timeline: 2, revived: false, fenced: [db1] },
        ...{ waiting: [], silent: [db1], loss: 'nothing', others: [db1] },
        record: { make: () => RECORD, on: [app1] },
      }),
      undefined,
    ],
    'failover to an old primary': [
      failover({
        ...{ to: db2, version: 15, system: '77', timeline: 4, revived: true, fenced: [] },
        ...{ waiting: [], silent: [db1], loss: 'writes', others: [db1] },
        record: { make: () => RECORD, on: [app1] },
      }),
      undefined,
    ],
  }
  for (const [name, [step, have]] of Object.entries(steps))
    it(`are valid shell: ${name}`, () => {
      for (const { script } of step.apply(have)) {
        const { status, stderr } = spawnSync('sh', ['-n'], { input: script.text, encoding: 'utf8' })
        expect(status, stderr + script.text).to.equal(0)
      }
    })

  it('is recorded first, then run on the old primary, the new one, the old one, the new one', () => {
    expect(steps['switchover']?.[0].apply(undefined).map(({ on }) => on?.name)).to.deep.equal([
      ...['app1', 'db1'],
      ...['db1', 'db2', 'db1', 'db2'],
    ])
  })

  it('is recorded before the promotion of a failover', () => {
    expect(steps['failover']?.[0].apply(undefined).map(({ on }) => on?.name)).to.deep.equal([
      ...['app1', 'db1', 'db2', 'db2'],
    ])
  })
})

function textOf(step: Step, have: unknown): string {
  return step
    .apply(have)
    .map(({ script }) => script.text)
    .join('\n')
}
