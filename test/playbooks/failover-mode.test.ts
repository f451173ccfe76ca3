import { expect } from 'chai'
import { group, type Inventory } from 'provision-ts'
import site from '../../playbooks/site.ts'
import switchover from '../../playbooks/switchover.ts'
import type { Site, siteSchema as schema } from '../../stack/schema.ts'
import stackInventory from '../report/graph/stack-inventory.ts'

describe('the plays of a site', () => {
  let inventory: Inventory<(typeof schema)['entries']>

  before(async () => {
    inventory = await stackInventory()
  })

  const valuesFor = (failover?: 'manual' | 'automatic'): Site => {
    const { values } = inventory
    const { db } = values
    return {
      ...values,
      db: group(
        'db',
        db.hosts.map((host) => ({ ...host, ...(failover && { failover }) })),
      ),
    }
  }
  const labels = (failover?: 'manual' | 'automatic') => site.plays(valuesFor(failover), {}).map(({ label }) => label)
  const REMOVE = ['database: pause automatic failover', 'database: remove Patroni']
  const STOP = ['database: remove the cluster from etcd', 'database: stop etcd']

  it('have no play about Patroni or etcd if the inventory does not set the mode of failover', () => {
    expect(labels().filter((label) => /patroni|etcd|witness|failover|cluster/i.test(label))).to.deep.equal([])
  })

  it('remove Patroni once, before the firewall closes the ports of etcd, and etcd last, if failover is manual', () => {
    const all = labels('manual')
    expect(all.slice(1, 3)).to.deep.equal(REMOVE)
    expect(all.filter((label) => [...REMOVE, ...STOP].includes(label))).to.deep.equal([...REMOVE, ...STOP])
    expect(all.indexOf('database: stop etcd')).to.be.greaterThan(all.indexOf('database: replication'))
    expect(
      switchover
        .plays(valuesFor('manual'), {})
        .map(({ label }) => label)
        .slice(1, 3),
    ).to.deep.equal(REMOVE)
  })

  it('check that all hosts answer before any other play of the database, if failover is automatic', () => {
    const all = labels('automatic')
    expect(all[1]).to.equal('database: all hosts answer before Patroni manages them')
    expect(all.filter((label) => [...REMOVE, ...STOP].includes(label))).to.deep.equal([])
  })

  it('have different labels', () => {
    for (const mode of [undefined, 'manual', 'automatic'] as const)
      expect(labels(mode)).to.have.lengthOf(new Set(labels(mode)).size)
  })
})
