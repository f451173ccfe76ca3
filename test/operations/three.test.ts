import { expect } from 'chai'
import { eventually, ownLab } from '../integration/support.ts'
import { lostOn, sql, underLoad } from './database-load.ts'
import { databaseFiles, operate } from './database-site.ts'

const DATABASES = ['db1', 'db2', 'db3']

/** A primary and two replicas: commits wait for any one of them, and the third host follows each new primary. */
describe('three database hosts', function () {
  this.slow('60s').bail(true)
  const hosts = ownLab('test-three', [...DATABASES, 'app1'], () => databaseFiles(DATABASES))

  const unchanged = async () => {
    const { code, text } = await hosts.run()
    expect(code, text).to.equal(0)
    expect(text).to.include('No changes')
  }
  const said = async (host: string, text: string) => (await sql(hosts.lab, host, text)).stdout.trim()
  const followers = (host: string) =>
    said(
      host,
      "select string_agg(application_name || ' ' || state || ' ' || sync_state, ', ' order by application_name) from pg_stat_replication",
    )
  /** The identity of the data directory, which changes with a new copy. */
  const data = (host: string) =>
    hosts.lab.exec(host, 'stat -c %i /var/lib/postgresql/*/main').then(({ stdout }) => stdout.trim())

  it('start with commits that wait for any one of two replicas, and a second run changes nothing', async () => {
    const { code, text } = await hosts.run()
    expect(code, text).to.equal(0)
    expect(await followers('db1')).to.equal('db2 streaming quorum, db3 streaming quorum')
    expect(await said('db1', 'show synchronous_standby_names')).to.equal('ANY 1 ("db2", "db3")')
    await unchanged()
  })

  it('accept writes if one replica is lost', async () => {
    await hosts.lab.freeze('db2')
    const load = await underLoad(hosts.lab, () => new Promise((done) => setTimeout(done, 2_000)))
    await hosts.lab.thaw('db2')
    expect(load.failed).to.deep.equal([])
    expect(load.acknowledged.length).to.be.greaterThan(50)
    await eventually(async () => (await followers('db1')).includes('db2 streaming'))
  })

  it('support a switchover: both others follow the new primary, without a copy', async () => {
    const before = await Promise.all(DATABASES.map(data))
    const load = await underLoad(hosts.lab, async () => {
      const { code, text } = await operate(hosts, 'switchover', '--to', 'db2')
      expect(code, text).to.equal(0)
    })
    expect(load.failed).to.deep.equal([])
    expect(await lostOn(hosts.lab, 'db2', load)).to.deep.equal([])
    expect(await followers('db2')).to.equal('db1 streaming quorum, db3 streaming quorum')
    expect(await Promise.all(DATABASES.map(data))).to.deep.equal(before)
    await unchanged()
  })

  it('do not wait for a replica in maintenance, although it streams, and not after a run of the site either', async () => {
    const awaited = () => said('db2', 'show synchronous_standby_names')
    const began = await operate(hosts, 'maintenance', '--host', 'db3')
    expect(began.code, began.text).to.equal(0)
    expect(await awaited()).to.equal('ANY 1 ("db1")')
    const { code, text } = await hosts.run()
    expect(code, text).to.equal(0)
    expect(await followers('db2')).to.equal('db1 streaming quorum, db3 streaming async')
    expect(await awaited()).to.equal('ANY 1 ("db1")')
    const ended = await operate(hosts, 'maintenance', '--host', 'db3', '--end')
    expect(ended.code, ended.text).to.equal(0)
    expect(await awaited()).to.equal('ANY 1 ("db1", "db3")')
  })

  it('fail over: the third follows the new primary without a copy, and commits wait for it', async () => {
    const before = await data('db3')
    const load = await underLoad(hosts.lab, async () => {
      await hosts.lab.kill('db2')
      const { code, text } = await operate(hosts, 'failover')
      expect(code, text).to.equal(0)
      expect(text)
        .to.include('no acknowledged write')
        .and.match(/will follow after the next run of provision db[13]/)
      await new Promise((done) => setTimeout(done, 2_000))
    })
    const primary = (await said('db1', 'select pg_is_in_recovery()')) === 'f' ? 'db1' : 'db3'
    const other = primary === 'db1' ? 'db3' : 'db1'
    expect(await lostOn(hosts.lab, primary, load)).to.deep.equal([])
    const { code, text } = await hosts.run()
    expect(code, text).to.equal(3)
    expect(await followers(primary)).to.equal(`${other} streaming quorum`)
    if (other === 'db3') expect(await data('db3')).to.equal(before)
  })

  it('are three again after the old primary rejoins', async () => {
    await hosts.lab.start('db2')
    const { code, text } = await operate(hosts, 'rejoin', '--host', 'db2')
    expect(code, text).to.equal(0)
    await unchanged()
  })
})
