import { expect } from 'chai'
import { notes } from '../../inventory/notes.ts'
import { inventory } from '../../src/model/inventory/inventory.ts'
import { Problem } from '../../src/model/problem.ts'
import { Secret } from '../../src/shell/secret.ts'
import { distinctPriorities, fastFailoverPossible, freePorts, oneTierPerHost, validVip } from '../../stack/lib/rules.ts'
import { siteSchema } from '../../stack/schema.ts'

const host = <V extends object>(name: string, address: string, more: V) => ({
  name,
  address,
  group: 'x',
  ...more,
})

describe('the rules of the site', () => {
  it('require a distinct priority for each balancer', () => {
    const [a, b] = [host('lb1', '10.0.0.1', { priority: 200 }), host('lb2', '10.0.0.2', { priority: 200 })]
    expect(distinctPriorities([a, b])).to.deep.equal([
      'lb.hosts.lb2.priority: is 200, as that of lb1; both would hold the address',
    ])
    expect(distinctPriorities([a, { ...b, priority: 100 }])).to.deep.equal([])
  })

  it('require a virtual IP that belongs to no host, in the network of the balancers', () => {
    const lb = { name: 'lb', hosts: [host('lb1', '10.0.0.1', {}), host('lb2', '10.0.1.2', {})] }
    const web = { name: 'web', hosts: [host('web1', '10.0.0.9', {})] }
    expect(validVip('10.0.0.9/24', lb.hosts, [lb, web])).to.deep.equal([
      'vip: 10.0.0.9 is the address of web1; it should belong to no host',
      'lb.hosts.lb2.address: 10.0.1.2 is not in the network of vip, 10.0.0.9/24',
    ])
    expect(validVip('10.0.0.9/16', lb.hosts, [lb])).to.deep.equal([])
    expect(validVip('fd00::9/64', [host('lb1', 'fd00::1', {})], [])).to.deep.equal([])
    expect(validVip('fd00::9/64', lb.hosts, [])).to.have.lengthOf(2)
  })

  it('allow one tier per host', () => {
    const one = host('web1', '10.0.0.9', {})
    expect(
      oneTierPerHost([
        { name: 'web', hosts: [one] },
        { name: 'app', hosts: [one] },
      ]),
    ).to.deep.equal(['app.hosts.web1: is in web too; a host belongs to one tier'])
  })

  it('allow one service per port', () => {
    expect(freePorts('web', [host('web1', '10.0.0.9', { port: 22 })], { 22: 'ssh' })).to.deep.equal([
      'web.hosts.web1.port: 22 is that of ssh',
    ])
  })

  it('allow a fast failover only with automatic failover, for all database hosts, and with one witness', () => {
    const database = (number: number, fastFailover: boolean, failover: 'manual' | 'automatic' = 'automatic') =>
      host(`db${number}`, `10.0.0.${number}`, { failover, fastFailover })
    const witness = [host('witness1', '10.0.0.9', {})]
    const pair = (fast: boolean, failover?: 'manual' | 'automatic') => [1, 2].map((n) => database(n, fast, failover))
    expect(fastFailoverPossible({ db: pair(true), witness })).to.deep.equal([])
    expect(fastFailoverPossible({ db: pair(false, 'manual'), witness: [] })).to.deep.equal([])
    expect(fastFailoverPossible({ db: pair(true, 'manual'), witness })).to.deep.equal([
      "db.fastFailover: needs failover: 'automatic'",
    ])
    expect(fastFailoverPossible({ db: [database(1, true), database(2, false)], witness })).to.deep.equal([
      'db.hosts.db2.fastFailover: is false, that of db1 is true; give it to db once',
    ])
    expect(fastFailoverPossible({ db: pair(true), witness: [] })).to.deep.equal([
      'db.fastFailover: needs one host in witness, which is never lost together with the primary; there are 0',
    ])
  })

  it('reject an inventory with all of its errors, before any host is contacted', () => {
    const key = new Secret(() => 'x')
    const certificate = { certificate: '-----BEGIN CERTIFICATE-----\n', key }
    const refused = () =>
      inventory(siteSchema, {
        domain: 'notes.test',
        application: notes,
        vip: '10.0.0.31/24',
        certificate,
        authority: 'x',
        passwords: { app: key, replication: key },
        lb: {
          hosts: { lb1: { address: '10.0.0.1', priority: 9 }, lb2: { address: '10.0.0.2', priority: 9 } },
        },
        web: { port: 22, hosts: { web1: { address: '10.0.0.21' } } },
        app: { port: 9100, hosts: { app1: { address: '10.0.0.31' } } },
        db: { seed: true, hosts: { db1: { address: '10.0.0.41', certificate } } },
        monitoring: {
          alerts: { webhooks: [key] },
          hosts: { monitor1: { address: '10.0.0.51' }, monitor2: { address: '10.0.0.52' } },
        },
      })
    try {
      refused()
    } catch (error) {
      expect(error).to.be.instanceOf(Problem)
      const details = error instanceof Problem ? error.details : []
      expect(details.map((one) => one.split(':')[0])).to.deep.equal([
        'lb.hosts.lb2.priority',
        'vip',
        'web.hosts.web1.port',
        'app.hosts.app1.port',
        'certificate',
        'db.hosts.db1.certificate',
        'monitoring.hosts',
      ])
      return
    }
    throw new Error('nothing was refused')
  })
})
