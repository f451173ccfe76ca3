import { expect } from 'chai'
import { Secret } from 'provision-ts'
import { notes } from '../../inventory/notes.ts'
import { type Application, applicationFaults } from '../../stack/application.ts'
import { appParams } from '../../stack/lib/app-params.ts'
import { applicationDatabase } from '../../stack/lib/database-params.ts'
import type { Site } from '../../stack/schema.ts'
import stackInventory from '../report/graph/stack-inventory.ts'

const password = new Secret(() => 'hush')
const shop: Application = { name: 'my-shop', build: { directory: 'dist' }, start: ['node', 'main.js'] }

describe('the application of an inventory', () => {
  const faults = (given: Partial<Application>, passwords: { readonly app?: Secret } = { app: password }) =>
    applicationFaults({ ...shop, ...given }, { passwords }).filter((fault) => fault !== false)

  it('has parts that fit each other', () => {
    expect(faults({})).to.deep.equal([])
    expect(faults(notes)).to.deep.equal([])
    expect(faults({}, {}), 'without a database it needs no password').to.deep.equal([])
  })

  it('is refused with parts that contradict each other', () => {
    expect(faults({ start: [] })).to.match(/^application\.start: is empty/)
    expect(faults({ database: 'schema' }, {})).to.deep.equal([
      'passwords.app: is missing; application.database needs it',
    ])
    expect(faults({ database: 'schema', migrations: { sql: 'sql' } }).join()).to.include("sql: needs database: 'rows'")
    expect(faults({ database: 'rows', migrations: { sql: 'sql', command: ['a'] } }).join()).to.include(
      'give one of them',
    )
    expect(faults({ build: { directory: 'dist', static: 'public' }, paths: ['/'] }).join()).to.include(
      'application.paths: /',
    )
    expect(faults({ build: { directory: 'dist', static: 'public' } }).join()).to.include(
      'application.health.ready: is the',
    )
    expect(
      faults({ build: { directory: 'dist', static: 'public' }, health: { ready: '/r' }, streams: ['/'] }).join(),
    ).to.include('application.paths: /')
    expect(faults({ paths: [] }).join()).to.include('application.paths: is empty')
    for (const name of ['postgres', 'replicator', 'prometheus', 'template1', 'pg-x']) {
      expect(faults({ name, database: 'rows' }).join(), name).to.include('application.name: the database server has')
      expect(faults({ name }), `${name}, without a database`).to.deep.equal([])
    }
    expect(faults({ environment: { 'A-B': 'x' } }).join()).to.include('application.environment.A-B: is not the name')
    expect(faults({ environment: { A: 'x' }, secrets: { A: password } }).join()).to.include('application.secrets.A')
    for (const name of ['Mail', 'migrate', 'a.b'])
      expect(faults({ workers: { [name]: { start: ['a'] } } }).join(), name).to.include(`the name ${name} of a worker`)
    expect(faults({ workers: { a: { start: ['a'] } }, jobs: { a: { start: ['a'], at: 'daily' } } }).join()).to.include(
      'the name a of a worker',
    )
  })

  it('has a database of its name, whose owner is another role unless it creates tables itself', () => {
    const of = (database: 'rows' | 'schema' | undefined) =>
      applicationDatabase({
        application: { ...shop, ...(database && { database }) },
        passwords: { app: password, replication: password },
      })
    expect(of('rows')).to.include({ name: 'my_shop', user: 'my_shop', owner: 'my_shop_owner' })
    expect(of('schema')).to.include({ name: 'my_shop', user: 'my_shop', owner: 'my_shop' })
    expect(of(undefined)).to.equal(undefined)
  })
})

describe('the parameters of the role app', () => {
  let values: Site
  before(async () => {
    values = (await stackInventory()).values
  })
  const build = { directory: '/build', id: 'abc' }
  const on = (given: Application, index = 0) => {
    const host = values.app.hosts[index]
    if (!host) throw new Error('the inventory has app hosts')
    return appParams(host, build, { ...values, application: given })
  }

  it('has jobs on the first host only', () => {
    expect([on(shop).runsJobs, on(shop, 1).runsJobs]).to.deep.equal([true, false])
  })

  it('has no database and no metrics without them in the inventory', () => {
    expect(on(shop)).not.to.have.any.keys('database', 'databases', 'metrics', 'migrate', 'processes')
    expect(on({ ...shop, database: 'rows', processes: 3, migrations: { command: ['m'] } })).to.deep.include({
      processes: 3,
      migrate: ['m'],
    })
  })
})
