import { expect } from 'chai'
import { eventually, ownLab } from '../integration/support.ts'
import { begin, type Database, type Model, type Step, take } from '../roles/database-model.ts'
import { sql } from './database-load.ts'
import { databaseFiles, operate } from './database-site.ts'

const DATABASES = ['db1', 'db2'] as const
const OPTIONS = { records: true }

/** Sequences of failures and operations. The model of test/roles predicts the result of each step; here real hosts must match it. */
const ORDERS: Readonly<Record<string, string>> = {
  'the old primary is switched on after its successor has died':
    'kill db2, failover db1, write, kill db1, power on db2, disable sync, write',
  'a failover back to the old primary': 'kill db2, failover db1, write, kill db1, power on db2, failover db2, write',
  'a failover, and the old primary rejoins': 'kill db2, failover db1, write, power on db2, write, rejoin db2, write',
  'a failover to a replica that commits did not wait for':
    'kill db1, disable sync, write, kill db2, power on db1, failover db1, write',
  'the record is on hosts that are off':
    'kill db2, failover db1, write, kill app1, kill db1, power on db2, disable sync, write',
  'the new primary is off when the old one is to rejoin':
    'kill db2, failover db1, write, kill db1, power on db2, rejoin db2, power on db1, rejoin db2, write',
  'the replica is lost and comes back': 'kill db1, write, power on db1, write',
  'the new primary boots before a replica has rejoined': 'kill db2, failover db1, write, kill db1, power on db1, write',
  'a run of the site while the old primary has not rejoined':
    'kill db2, failover db1, write, power on db2, run, rejoin db2, run, write',
  'both are off, and the primary comes first': 'kill db1, kill db2, power on db2, write, power on db1, write',
  'a failover while most hosts with the record are off':
    'kill db2, kill app1, failover db1, power on app1, failover db1, write',
  'the successor comes back beside the old primary':
    'kill db2, failover db1, write, kill db1, power on db2, power on db1, write, rejoin db2, write',
  'commits wait for no replica, and the primary boots':
    'kill db1, disable sync, write, kill db2, power on db2, write, power on db1, run, write',
}

describe('sequences of failures and operations on real database hosts', function () {
  this.slow('60s').bail(true)
  const hosts = ownLab('test-database-orders', [...DATABASES, 'app1'], () => databaseFiles(DATABASES))
  let writes = 0

  const value = async (host: string, text: string, within = 60) =>
    (await sql(hosts.lab, host, text, { within })).stdout.trim()
  const well = ({ code, text }: { readonly code: number; readonly text: string }) => expect(code, text).to.equal(0)

  before(async () => {
    process.env['BOOT_GRACE'] = '5'
    well(await hosts.run())
    well(await operate(hosts, 'switchover', '--to', 'db2'))
    await value('db2', 'create table writes (id int)')
  })

  after(() => {
    delete process.env['BOOT_GRACE']
  })

  /** Writes to each server that claims to be a primary, as a client that does not know the records. */
  const written = async (): Promise<readonly Database[]> => {
    const acknowledged = await Promise.all(
      DATABASES.map(async (host) => {
        if ((await recovery(host)) !== 'f') return []
        const { code } = await sql(hosts.lab, host, `insert into writes values (${writes})`, { within: 4 })
        return code === 0 ? [host] : []
      }),
    )
    return acknowledged.flat()
  }
  const recovery = async (host: string) =>
    (
      await sql(hosts.lab, host, 'select pg_is_in_recovery()', { within: 20 }).catch(() => ({ stdout: '' }))
    ).stdout.trim()

  /** True if each server runs, follows or is off as in the model. */
  const agrees = async ({ databases }: Model): Promise<boolean> => {
    const same = await Promise.all(
      DATABASES.map(async (host) => {
        const { running, standby } = databases[host]
        if ((await recovery(host)) !== (running ? (standby ? 't' : 'f') : '')) return false
        const peer = databases[host === 'db1' ? 'db2' : 'db1']
        const isFollowed = running && !standby && peer.running && peer.standby && peer.received
        const streaming = "select count(*) from pg_stat_replication where state = 'streaming'"
        return !isFollowed || (await value(host, streaming)) === '1'
      }),
    )
    return same.every((one) => one)
  }

  /** Executes a step on the hosts, and returns the refusal or the servers that acknowledged a write. */
  const act = async (step: Step): Promise<{ readonly text?: string; readonly acknowledged?: readonly Database[] }> => {
    switch (step.do) {
      case 'kill':
        await hosts.lab.kill(step.host)
        return {}
      case 'power on':
        await hosts.lab.start(step.host)
        return {}
      case 'write':
        writes++
        return { acknowledged: await written() }
      case 'failover':
        return refusalOf(await operate(hosts, 'failover', '--to', step.host))
      case 'rejoin':
        return refusalOf(await operate(hosts, 'rejoin', '--host', step.host))
      case 'disable sync':
        return refusalOf(await operate(hosts, 'disable-sync-replication'))
      case 'run':
        return refusalOf(await hosts.run())
      case 'failover cut short':
        throw new Error('not on real hosts')
    }
  }

  /** Restores the start state: all hosts on, db2 the primary, db1 its synchronous replica. */
  const repair = async (model: Model): Promise<void> => {
    for (const host of [...DATABASES, 'app1']) await hosts.lab.start(host)
    const { db1, db2 } = model.databases
    const primary = !db1.standby && (db2.standby || db1.timeline > db2.timeline) ? 'db1' : 'db2'
    const replica = primary === 'db1' ? 'db2' : 'db1'
    await eventually(async () => (await recovery(primary)) === 'f')
    const { code } = await operate(hosts, 'rejoin', '--host', replica)
    if (code !== 0) well(await operate(hosts, 'rejoin', '--host', replica, '--copy'))
    well(await hosts.run())
    if (primary === 'db1') well(await operate(hosts, 'switchover', '--to', 'db2'))
  }

  for (const [what, order] of Object.entries(ORDERS))
    it(`${what}: ${order}`, async () => {
      let model = begin(OPTIONS)
      const acknowledged: number[] = []
      for (const step of stepsOf(order)) {
        const words = 'host' in step ? `${step.do} ${step.host}` : step.do
        const expected = take(model, step, OPTIONS)
        const found = await act(step)
        expect(found.text === undefined, `${words}: ${found.text ?? expected.refused}`).to.equal(
          expected.refused === undefined,
        )
        if (found.text !== undefined) expect(found.text, words).to.match(/provision|same command/)
        const before = model.acknowledged.length
        model = expected.model
        if (found.acknowledged) {
          expect(found.acknowledged.length, words).to.equal(model.acknowledged.length - before)
          if (found.acknowledged.length > 0) acknowledged.push(writes)
        }
        expect(expected.lost, words).to.equal(undefined)
        await eventually(() => agrees(model))
      }
      await repair(model)
      const there = (await value('db2', 'select id from writes')).split('\n').map(Number)
      expect(
        acknowledged.filter((id) => !there.includes(id)),
        'acknowledged and lost',
      ).to.deep.equal([])
    })

  it('continues with old data if the loss is accepted, on a new timeline, and the other host rejoins', async () => {
    for (const step of stepsOf('kill db2, failover db1, write, kill db1, power on db2'))
      expect((await act(step)).text).to.equal(undefined)
    await eventually(async () => (await recovery('db2')) === 'f')
    well(await operate(hosts, 'failover', '--to', 'db2', '--accept-data-loss'))
    expect((await act({ do: 'write' })).acknowledged).to.deep.equal(['db2'])
    await hosts.lab.start('db1')
    well(await operate(hosts, 'rejoin', '--host', 'db1'))
    await eventually(async () => (await value('db2', 'select count(*) from pg_stat_replication')) === '1')
    expect((await hosts.run()).text).to.include('No changes')
    expect(await recovery('db1')).to.equal('t')
  })

  it('loses a write if no host has a record, which proves the tests above', async () => {
    const begun = stepsOf('kill db2, failover db1, write, kill db1, power on db2')
    let first: readonly Database[] | undefined
    for (const step of begun) {
      const { acknowledged, text } = await act(step)
      expect(text).to.equal(undefined)
      first ??= acknowledged
    }
    expect(first).to.deep.equal(['db1'])
    const lost = writes
    for (const host of ['db2', 'app1']) await hosts.lab.exec(host, 'rm -r /var/lib/provision-database')
    await eventually(async () => (await recovery('db2')) === 'f')
    well(await operate(hosts, 'disable-sync-replication', '--accept-data-loss'))
    expect((await act({ do: 'write' })).acknowledged).to.deep.equal(['db2'])
    const there = (await value('db2', 'select id from writes')).split('\n').map(Number)
    expect(there).to.include(writes).and.not.to.include(lost)
  })
})

function refusalOf({ code, text }: { readonly code: number; readonly text: string }): {
  readonly text?: string
} {
  return code === 0 ? {} : { text }
}

function stepsOf(order: string): readonly Step[] {
  return order.split(', ').map((words): Step => {
    const [, action = '', host] = /^(.*?)(?: (db1|db2|app1))?$/.exec(words) ?? []
    if (action === 'write' || action === 'disable sync' || action === 'run') return { do: action }
    if ((action === 'kill' || action === 'power on') && isHost(host)) return { do: action, host }
    if ((action === 'failover' || action === 'rejoin') && isDatabase(host)) return { do: action, host }
    throw new Error(`"${words}" is no step`)
  })
}

function isDatabase(name: string | undefined): name is Database {
  return name === 'db1' || name === 'db2'
}

function isHost(name: string | undefined): name is Database | 'app1' {
  return isDatabase(name) || name === 'app1'
}
