import { expect } from 'chai'
import {
  postgresDatabase,
  postgresExtension,
  postgresGrants,
  postgresRole,
  postgresSchema,
} from '../../roles/postgres-databases.ts'
import { Problem, Secret, type Step } from '../../src/index.ts'
import { converge, fakeHost } from '../../src/testing/index.ts'

const commands = (step: Step, have: unknown) => step.apply(have).map(({ input }) => String(input).split('\n').slice(4))

describe('the kinds of a PostgreSQL server', () => {
  it('converge on a fake host', async () => {
    const steps = [
      postgresRole('shop', { password: new Secret(() => 'correct horse'), memberOf: ['readers'] }),
      postgresDatabase('shop', { users: ['shop'] }),
      postgresSchema('shop', 'shop', { owner: 'owner', user: 'shop' }),
      postgresExtension('shop', 'pg_trgm'),
      postgresExtension.absent('shop', 'hstore'),
      postgresGrants('shop', 'reports', { schema: 'shop', owner: 'owner', tables: ['SELECT'] }),
    ]
    const host = fakeHost()
    const run = await converge(steps, host)
    expect(run.plan).to.deep.equal([
      'create database role shop',
      'create database shop',
      'create database schema shop.shop',
      'create database extension shop.pg_trgm',
      'remove database extension shop.hstore',
      'create database grants shop.shop to reports',
    ])
    expect(JSON.stringify(run)).not.to.include('correct horse')
    expect((await converge(steps, host)).plan).to.deep.equal([])
  })

  it('give a role its rights and memberships', () => {
    const step = postgresRole('shop', { superuser: true, memberOf: ['a', 'b'] })
    const have = { rights: 'login createdb', password: null, groups: ['b', 'c'] }
    expect(step.diff(have)?.fields).to.deep.equal([
      { name: 'rights', from: 'login createdb', to: 'login superuser' },
      { name: 'member of a', from: 'no', to: 'yes' },
    ])
    expect(commands(step, have)[0]?.slice(0, 2)).to.deep.equal([
      'alter role "shop" with login noreplication superuser nocreaterole nocreatedb nobypassrls;',
      'grant "a" to "shop";',
    ])
    expect(() => postgresRole('shop', { password: new Secret(() => '') }).diff(undefined)).to.throw(
      Problem,
      'The password of the database role shop is empty',
    )
  })

  it('have exactly the rights on existing and new objects, in one transaction', () => {
    const step = postgresGrants('shop', 'reports', { schema: 's', owner: 'o', tables: ['UPDATE', 'SELECT', 'SELECT'] })
    const exact = {
      uses: true,
      tables: 'SELECT UPDATE',
      sequences: null,
      newTables: 'SELECT UPDATE',
      newSequences: null,
    }
    expect(step.diff(exact)).to.equal(undefined)
    expect(step.diff({ ...exact, tables: null })).to.equal(undefined)
    const found = { ...exact, tables: 'SELECT or SELECT UPDATE', newTables: null, sequences: 'USAGE' }
    expect(step.diff(found)?.fields.map(({ name }) => name)).to.deep.equal(['tables', 'new tables', 'sequences'])
    const [text = []] = commands(step, found)
    expect([text[0], text.at(-2)]).to.deep.equal(['begin;', 'commit;'])
    expect(text).to.include('grant SELECT, UPDATE on all tables in schema "s" to "reports";')
    expect(text).to.include(
      'alter default privileges for role "o" in schema "s" revoke all on sequences from "reports";',
    )
    const wrong = ['DROP'] as unknown as readonly ['SELECT']
    expect(() => postgresGrants('d', 'r', { schema: 's', owner: 'o', tables: wrong })).to.throw(
      TypeError,
      'postgresGrants r: "DROP" is not one of DELETE, INSERT',
    )
  })

  it('do not take objects of other roles', () => {
    const step = postgresSchema('shop', 's', { owner: 'o', user: 'u' })
    const have = { owner: 'o', everyone: false, uses: 'USAGE', rows: null, sequences: null }
    expect(() => step.diff({ ...have, others: 'postgres u' })).to.throw(
      Problem,
      'The schema shop.s has objects of postgres',
    )
    expect(step.diff({ ...have, others: 'u' })?.fields.at(-1)?.name).to.equal('objects of others')
  })

  it('say which extension the server does not have', () => {
    const step = postgresExtension('shop', 'postgis')
    expect(step.diff({ version: null, available: false })?.problem?.message).to.equal(
      'The PostgreSQL server has no extension postgis',
    )
    expect(step.diff({ version: null, available: true })?.problem).to.equal(undefined)
    expect(step.diff({ version: '3.4', available: true })).to.equal(undefined)
    expect(postgresExtension.absent('shop', 'postgis').diff({ version: '3.4', available: true })?.action).to.equal(
      'remove',
    )
    const unknown = postgresExtension.absent('shop', 'postgis').diff(undefined)
    expect(unknown?.problem?.message).to.equal('The database shop does not answer, so it is unknown if it has postgis')
  })
})
