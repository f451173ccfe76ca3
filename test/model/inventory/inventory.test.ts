import { expect } from 'chai'
import { hostname, integer, optional, port } from '../../../src/model/inventory/fields.ts'
import type { Host } from '../../../src/model/inventory/host.ts'
import { inventory } from '../../../src/model/inventory/inventory.ts'
import { hosts, inventorySchema } from '../../../src/model/inventory/schema.ts'
import { Problem } from '../../../src/model/problem.ts'

describe('an inventory', () => {
  const site = inventorySchema(
    {
      domain: hostname,
      lb: hosts({ priority: integer({ min: 1, max: 254 }) }),
      web: hosts({ port, workers: optional(integer({ min: 1 })) }, { atLeast: 2 }),
    },
    ({ lb, domain }) => [
      new Set(lb.hosts.map(({ priority }) => priority)).size < lb.hosts.length && 'lb: two have one priority',
      domain === 'forbidden' && 'domain: is forbidden',
    ],
  )
  const good = {
    domain: 'notes.test',
    lb: { hosts: { lb1: { address: '10.0.1.1', priority: 250 } } },
    web: {
      port: 8080,
      hosts: { web1: { address: '10.0.1.2' }, web2: { address: '10.0.1.3', port: 81, workers: 4 } },
    },
  } as const

  /** The content of a file may differ from its type. */
  const made = (given: object) => inventory(site, given as typeof good)
  const faults = (given: object): readonly string[] => {
    try {
      made(given)
    } catch (error) {
      if (error instanceof Problem) return error.details
      throw error
    }
    return []
  }

  it('gives a host the vars of its group as defaults', () => {
    const { web } = made(good).values
    expect(web.hosts.map(({ name, group, port: of, workers }) => [name, group, of, workers])).to.deep.equal([
      ['web1', 'web', 8080, undefined],
      ['web2', 'web', 81, 4],
    ])
  })

  it('uses the var of the group if the host has undefined', () => {
    const { web } = made({
      ...good,
      web: { ...good.web, hosts: { ...good.web.hosts, web1: { address: '10.0.1.2', port: undefined } } },
    }).values
    expect(web.hosts[0]?.port).to.equal(8080)
  })

  it('merges the connection settings of the site, the group and the host; the host takes precedence', () => {
    const { web, lb } = made({
      ...good,
      ssh: { user: 'root', port: 22 },
      become: { method: 'sudo' },
      web: {
        ...good.web,
        ssh: { port: 2222, identityFile: 'key' },
        become: { method: 'doas' },
        hosts: {
          ...good.web.hosts,
          web1: { address: '10.0.1.2', ssh: { identityFile: 'own' }, become: { method: 'none' } },
        },
      },
    }).values
    const of = ({ ssh, become }: Host) => ({ ...ssh, ...become })
    expect(lb.hosts.map(of)).to.deep.equal([{ user: 'root', port: 22, method: 'sudo' }])
    expect(web.hosts.map(of)).to.deep.equal([
      { user: 'root', port: 2222, identityFile: 'own', method: 'none' },
      { user: 'root', port: 2222, identityFile: 'key', method: 'doas' },
    ])
  })

  it('has all hosts in the order of the groups, and a host of two groups in both', () => {
    const both = { ...good, lb: { hosts: { web1: { address: '10.0.1.2', priority: 1 } } } }
    expect(made(both).hosts.map(({ name, group }) => `${group}/${name}`)).to.deep.equal([
      'lb/web1',
      'web/web1',
      'web/web2',
    ])
  })

  it('is frozen, and so are its hosts', () => {
    const all = made(good)
    for (const value of [all, all.values, all.values.web, all.values.web.hosts, all.values.web.hosts[0]])
      expect(Object.isFrozen(value)).to.equal(true)
  })

  it('has groups that return all hosts but one, and the only host that matches', () => {
    const { web } = made(good).values
    const [first] = web.hosts
    if (!first) throw new Error('there is no first')
    expect(web.without(first).map(({ name }) => name)).to.deep.equal(['web2'])
    expect(web.only(({ port: of }) => of === 81).name).to.equal('web2')
    expect(() => web.only(() => true)).to.throw('web: more than one host does, where one was asked for')
    expect(() => web.only(() => false)).to.throw('web: no host does, where one was asked for')
  })

  const host = (of: object) => ({
    ...good,
    web: { ...good.web, hosts: { ...good.web.hosts, web1: { address: '10.0.1.2', ...of } } },
  })
  const FAULTS: Readonly<Record<string, readonly [given: object, faults: readonly string[]]>> = {
    'a value that is missing': [
      { ...good, domain: undefined },
      ['domain: is missing; it should be a DNS name such as shop.example.com'],
    ],
    'a value of the wrong type': [
      { ...good, domain: 5 },
      ['domain: should be a DNS name such as shop.example.com, got 5'],
    ],
    'a group that is missing': [{ ...good, lb: undefined }, ['lb: is missing; it should be a group: { hosts: { … } }']],
    'a group with too few hosts': [
      { ...good, web: { port: 1, hosts: { web1: { address: '10.0.1.2' } } } },
      ['web.hosts: should be at least 2, got 1'],
    ],
    'a var that is missing': [
      { ...good, lb: { hosts: { lb1: { address: '10.0.1.1' } } } },
      ['lb.hosts.lb1.priority: is missing; it should be a whole number from 1 to 254'],
    ],
    'a var of the wrong type': [host({ workers: 0 }), ['web.hosts.web1.workers: should be a whole number ≥ 1, got 0']],
    'a var of the group that is wrong for each host that takes it': [
      { ...good, web: { ...good.web, port: 0 } },
      ['web.hosts.web1.port: should be a port from 1 to 65535, got 0'],
    ],
    'a misspelt var': [host({ wrokers: 2 }), ['web.hosts.web1.wrokers: is not known here. Did you mean "workers"?']],
    'a misspelt var of a group': [
      { ...good, web: { ...good.web, prot: 2 } },
      ['web.prot: is not known here. Did you mean "port"?'],
    ],
    'a group that the schema does not declare': [
      { ...good, database: { hosts: {} } },
      ['database: is not known here. There are domain, lb, web, ssh, become, timeouts.'],
    ],
    'an address that is none': [
      host({ address: 'web1.test' }),
      ['web.hosts.web1.address: should be an IP address such as 10.0.1.1, got "web1.test"'],
    ],
    'a host that is no record': [
      { ...good, web: { ...good.web, hosts: { ...good.web.hosts, web1: '10.0.1.2' } } },
      ['web.hosts.web1: should be a host: { address: … }'],
    ],
    'two hosts with one address': [
      host({ address: '10.0.1.3' }),
      ['web.hosts.web2.address: 10.0.1.3 belongs to web1 already'],
    ],
    'one host with two addresses': [
      { ...good, lb: { hosts: { web1: { address: '10.0.1.9', priority: 1 } } } },
      ['web.hosts.web1: has another address in another group'],
    ],
    'all at once': [
      { domain: '-', lb: good.lb },
      [
        'domain: should be a DNS name such as shop.example.com, got "-"',
        'web: is missing; it should be a group: { hosts: { … } }',
      ],
    ],
    'values that the rules of the schema forbid': [
      {
        ...good,
        domain: 'forbidden',
        lb: { priority: 1, hosts: { a: { address: '10.0.2.1' }, b: { address: '10.0.2.2' } } },
      },
      ['lb: two have one priority', 'domain: is forbidden'],
    ],
  }
  for (const [what, [given, expected]] of Object.entries(FAULTS))
    it(`rejects ${what}`, () => {
      expect(faults(given)).to.deep.equal(expected)
    })

  it('says that nothing was done yet', () => {
    expect(() => made({}))
      .to.throw(Problem)
      .with.property('next')
      .that.match(/^Nothing was done yet\./)
  })
})
