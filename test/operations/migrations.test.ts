import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { ask } from '../integration/support.ts'
import { sql } from './database-load.ts'
import { MANY, noFailure, siteUnderLoad } from './site-under-load.ts'

/** Releases migrate the schema with its owner, the only role with that right, while clients write. */
describe('migrations, on real hosts under load', function () {
  this.slow('60s').bail(true)
  const own = siteUnderLoad('test-migrations')

  /** A release with one more migration. */
  const build = (name: string, text: string) => {
    writeFileSync(join(own.site.directory, 'examples/notes-api/dist/app/migrations', name), text)
    own.site.edit('examples/notes-api/dist/app/server.mjs', (before) => `${before}\n// ${name}\n`)
  }
  /** @param code the expected exit status */
  const hitless = async (words: readonly string[], code = 0): Promise<string> => {
    const seen = await own.underLoad(words, code)
    noFailure(seen, MANY)
    return seen.text
  }
  const releases = async () =>
    Promise.all(['app1', 'app2'].map((host) => own.site.on(host, 'basename "$(readlink /srv/notes/current)"')))
  const versions = async () => own.site.query('db1', 'select version from notes.migration order by 1')

  it('gives the role of the application no right to create, change or drop anything', async () => {
    const asApp = (text: string) =>
      sql(own.site.lab, 'db1', `set session authorization notes; ${text}`, { database: 'notes' })
    expect((await asApp('select count(*) from notes.note')).code).to.equal(0)
    for (const text of [
      'create table notes.more (id int)',
      'create table public.more (id int)',
      'create temporary table more (id int)',
      'create schema more',
      'alter table notes.note add column more int',
      'create index on notes.note (host)',
      'drop table notes.note',
      'truncate notes.note',
      'drop schema notes cascade',
      'insert into notes.migration (version) values (99)',
      'set role notes_owner',
      "grant select on notes.note to public; do \\$\\$ begin if has_table_privilege(0::oid, 'notes.note', 'select') then null; else raise exception 'permission denied'; end if; end \\$\\$",
    ]) {
      const { code, stderr } = await asApp(text)
      expect(code, text).not.to.equal(0)
      expect(stderr, text).to.match(/permission denied|must be owner/)
    }
    const { code, stderr } = await own.site.lab.exec(
      'db2',
      'cd / && HOME=/var/lib/postgresql PGPASSWORD=guess setpriv --reuid postgres --regid postgres --init-groups psql "host=198.18.0.41 user=notes_owner dbname=notes sslmode=require" -c "select 1"',
    )
    expect(code).not.to.equal(0)
    expect(stderr).to.include('pg_hba.conf rejects connection')
  })

  it('updates the schema before the first host is switched, without a failed request although a lock is held', async () => {
    build('0002-tags.sql', "ALTER TABLE notes.note ADD COLUMN tag text NOT NULL DEFAULT 'none';\n")
    const planned = await own.site.provision('deploy', '--check')
    expect(planned.code, planned.text).to.equal(2)
    expect(planned.text.match(/0002-tags\.sql/g), planned.text).not.to.equal(null)
    const reader = sql(own.site.lab, 'db1', 'begin; select count(*) from notes.note; select pg_sleep(12)', {
      database: 'notes',
    })
    const text = await hitless(['deploy'])
    await reader
    expect(await versions()).to.equal('1\n2')
    const [switched, second] = await releases()
    expect(switched).to.equal(second)
    expect(text.indexOf('database migrations')).to.be.lessThan(text.indexOf('transaction notes'))
    expect((await own.site.provision('deploy', '--check')).code, 'nothing is left to do').to.equal(0)
  })

  it('rolls back to the previous release, which works with the newer schema', async () => {
    await hitless(['rollback'])
    expect(await versions()).to.equal('1\n2')
    const { code, text } = await own.site.provision('--check')
    expect(code, text).to.equal(0)
  })

  it('stops before any host is switched if a migration fails, shows its error and rolls it back', async () => {
    const had = await releases()
    build('0003-broken.sql', 'CREATE TABLE notes.half (id int);\nALTER TABLE notes.nowhere ADD COLUMN x int;\n')
    const text = await hitless(['deploy'], 1)
    expect(text).to.include('Migration 0003-broken.sql failed and was rolled back')
    expect(text).to.include('relation "notes.nowhere" does not exist')
    expect(await releases()).to.deep.equal(had)
    expect(await versions()).to.equal('1\n2')
    expect(await own.site.query('db1', "select to_regclass('notes.half') is null")).to.equal('t')
    rmSync(join(own.site.directory, 'examples/notes-api/dist/app/migrations/0003-broken.sql'))
  })

  it('finds the current primary, and migrates there', async () => {
    await own.site.must('switchover', '--to', 'db2')
    build('0003-kinds.sql', 'ALTER TABLE notes.note ADD COLUMN kind text;\n')
    const ended = await own.site.must('deploy')
    expect(ended.text).to.match(/database migrations notes\.notes on db2/)
    expect(await own.site.query('db2', 'select max(version) from notes.migration')).to.equal('3')
  })

  it('logs one request under the same id in all four tiers', async () => {
    const { primary } = await own.site.databases()
    const held = sql(own.site.lab, primary, 'begin; lock table notes.note; select pg_sleep(2)', {
      database: 'notes',
    })
    await new Promise((done) => setTimeout(done, 700))
    const { status, headers } = await ask(own.site.lab, '/api/notes', {
      ...{ method: 'POST', body: { text: 'slow' }, timeout: 10_000 },
      headers: { 'x-request-id': 'chosen-by-the-client' },
    })
    await held
    expect(status).to.equal(201)
    const id = String(headers['x-request-id'])
    expect(id).to.match(/^[0-9a-f-]{36}$/)
    const grep = async (hosts: readonly string[], log: string) => {
      const found = await Promise.all(
        hosts.map(async (host) => (await own.site.lab.exec(host, `${log} | grep -F -- ${id}`)).stdout),
      )
      return found.join('')
    }
    expect(await grep(['lb1', 'lb2'], 'journalctl -q -u haproxy')).to.include('POST')
    expect(await grep(['web1', 'web2'], 'cat /var/log/nginx/access.log')).to.include('"status":201')
    expect(await grep(['app1', 'app2'], 'journalctl -q -u notes -o cat')).to.include('"status":201')
    const logged = await grep([primary], 'cat /var/log/postgresql/*.log')
    expect(logged).to.match(/notes@notes notes-api app[12] LOG: {2}duration: .*\/\* request/)
    expect(logged, 'what people write').not.to.include('slow')
  })
})
