import { spawn } from 'node:child_process'
import { expect } from 'chai'
import { downLab, type Lab } from '../../src/lab/index.ts'
import { Desk, type Ended, eventually, freshLab, noHosts, provision, ROOT } from '../integration/support.ts'
import { type Load, lostOn, sql, underLoad } from './database-load.ts'
import { databaseFiles } from './database-site.ts'

const LAB = 'test-database'

/** The primary moves between the hosts, planned and after failures, while clients write. Each test depends on those before it. */
describe('the database on real hosts', function () {
  this.slow('30s').bail(true)
  let lab: Lab
  let desk: Desk
  let inventory: string

  before(async function () {
    if (noHosts()) return this.skip()
    desk = new Desk()
    lab = await freshLab({ name: LAB, hosts: ['db1', 'db2', 'app1'] })
    for (const [path, text] of Object.entries(databaseFiles(['db1', 'db2']))) desk.write(path, text)
    inventory = `${desk.directory}/inventory.ts`
  })

  after(async () => {
    desk?.remove()
    if (!noHosts()) await downLab(LAB)
  })

  const run = (playbook: string, ...args: string[]): Promise<Ended> =>
    provision([playbook, '--inventory', inventory, '--no-type-check', ...args], { LAB })
  const converge = (env: Readonly<Record<string, string>> = {}): Promise<Ended> =>
    provision([`${desk.directory}/playbook.ts`, '--inventory', inventory, '--no-type-check'], { LAB, ...env })
  const well = ({ code, text }: Ended) => expect(code, text).to.equal(0)
  const primaries = async () => {
    const said = await Promise.all(
      ['db1', 'db2'].map(async (host) => {
        const { stdout } = await sql(lab, host, 'select pg_is_in_recovery()').catch(() => ({ stdout: '' }))
        return stdout.trim() === 'f' ? [host] : []
      }),
    )
    return said.flat()
  }
  const synchronous = async (host: string) =>
    (await sql(lab, host, 'select sync_state from pg_stat_replication')).stdout.trim() === 'quorum'
  const follows = async (primary: string) =>
    (await sql(lab, primary, 'select count(*) from pg_stat_replication')).stdout.trim() === '1'
  const report = (what: string, { acknowledged, failed, gap }: Load, lost: readonly string[]) =>
    console.log(
      `    ${what}: ${acknowledged.length} writes acknowledged, ${lost.length} lost, ${failed.length} requests failed, none written for ${(gap / 1000).toFixed(2)} s`,
    )

  it('starts with commits that wait for the replica', async () => {
    well(await converge())
    expect(await synchronous('db1')).to.equal(true)
    expect((await converge()).text).to.include('No changes')
  })

  it('supports a switchover under load: no write is lost, no request fails, and a run changes nothing afterwards', async () => {
    expect((await run('switchover', '--to', 'db2', '--check')).code).to.equal(2)
    expect(await primaries()).to.deep.equal(['db1'])
    const load = await underLoad(lab, async () => well(await run('switchover', '--to', 'db2')))
    const lost = await lostOn(lab, 'db2', load)
    report('switchover', load, lost)
    expect(await primaries()).to.deep.equal(['db2'])
    expect(lost).to.deep.equal([])
    expect(load.failed).to.deep.equal([])
    expect(await synchronous('db2')).to.equal(true)
    expect((await converge()).text).to.include('No changes')
    expect((await run('switchover', '--to', 'db2')).text).to.include('No changes')
  })

  it('rejects a switchover during a long transaction', async () => {
    const open = sql(lab, 'db2', 'begin; select pg_sleep(3600)', { within: 3_600 })
    const sleeper = "from pg_stat_activity where query ~ 'pg_sleep.3600' and pid <> pg_backend_pid()"
    const age = `select count(*) ${sleeper} and xact_start < now() - interval '16 s'`
    await eventually(async () => (await sql(lab, 'db2', age)).stdout.trim() === '1')
    const { code, text } = await run('switchover')
    expect(code).to.equal(1)
    expect(text).to.include('A transaction on db2 has been open').and.include('nothing was changed')
    expect(await primaries()).to.deep.equal(['db2'])
    await sql(lab, 'db2', `select pg_terminate_backend(pid) ${sleeper}`)
    await open
  })

  it('recovers by itself if the controller is killed while no server is the primary', async () => {
    const child = spawn(
      process.execPath,
      ['bin/provision.js', 'switchover', '--inventory', inventory, '--no-type-check'],
      {
        ...{ cwd: ROOT, stdio: 'ignore', env: { ...process.env, LAB } },
      },
    )
    await eventually(async () => (await lab.exec('db2', 'test -e /run/provision-postgres-back')).code === 0)
    child.kill('SIGKILL')
    const one = async () => (await primaries()).length === 1
    const ms = await eventually(async () => (await one()) && (await lab.exec('db2', PENDING)).code !== 0)
    console.log(`    one primary again ${(ms / 1000).toFixed(1)} s after the controller was killed`)
    const [primary = ''] = await primaries()
    await eventually(() => follows(primary))
    well(await run('switchover', '--to', 'db1'))
    expect(await primaries()).to.deep.equal(['db1'])
    expect((await converge()).text).to.include('No changes')
  })

  it('fails over after the server is killed; the old primary stays stopped, and becomes a replica again', async () => {
    const load = await underLoad(lab, async () => {
      expect(
        (await lab.exec('db1', 'kill -KILL $(head -n 1 /var/lib/postgresql/*/main/postmaster.pid)')).code,
      ).to.equal(0)
      well(await run('failover'))
      await eventually(async () => (await sql(lab, 'db2', 'select pg_is_in_recovery()')).stdout.trim() === 'f')
    })
    const lost = await lostOn(lab, 'db2', load)
    report('failover from a killed server', load, lost)
    expect(lost).to.deep.equal([])
    const unit = await lab.exec('db1', 'readlink /etc/systemd/system/postgresql@*-main.service')
    expect(unit.stdout.trim(), 'masked').to.equal('/dev/null')
    const refused = await converge()
    expect(refused.code).to.equal(1)
    expect(refused.text).to.include('provision rejoin --host db1')
    well(await run('rejoin', '--host', 'db1'))
    expect(await primaries()).to.deep.equal(['db2'])
    expect((await converge()).text).to.include('No changes')
  })

  it('fails over after a power loss of the primary, which does not return as a second one', async () => {
    let ms = 0
    const load = await underLoad(lab, async () => {
      await lab.kill('db2')
      const ended = await run('failover')
      ms = ended.ms
      well(ended)
      expect(ended.text).to.include('not fenced, no answer db2').and.include('no acknowledged write')
      await new Promise((done) => setTimeout(done, 2_000))
    })
    const lost = await lostOn(lab, 'db1', load)
    report(`failover after power-off, in ${(ms / 1000).toFixed(1)} s`, load, lost)
    expect(lost).to.deep.equal([])
    await lab.start('db2')
    await eventually(
      async () => (await lab.exec('db2', 'journalctl -b -q -o cat | grep -q "Not started as a primary"')).code === 0,
    )
    expect(await primaries()).to.deep.equal(['db1'])
    well(await run('rejoin', '--host', 'db2', '--copy'))
    expect((await lab.exec('db2', 'ls -d /var/lib/postgresql/*/main.before-*')).code).to.equal(0)
    expect(await synchronous('db1')).to.equal(true)
  })

  it('blocks writes while the replica is lost, until the operator disables the wait', async () => {
    await lab.kill('db2')
    expect((await sql(lab, 'db1', 'create table waits (at int)', { within: 3 })).code, 'it waits').to.equal(124)
    expect((await run('disable-sync-replication')).text).to.include('commits wait for ANY 1')
    expect((await sql(lab, 'db1', 'drop table waits')).code).to.equal(0)
    await lab.start('db2')
    await eventually(() => follows('db1'))
    well(await converge())
    expect(await synchronous('db1')).to.equal(true)
  })

  it('is unknown to every check while both servers are frozen, and passes afterwards', async () => {
    const verify = async () => {
      const file = `${desk.directory}/verify.ts`
      const words = ['verify', file, '--inventory', inventory, '--no-type-check', '--limit', 'db1,db2,app1']
      const { text } = await provision(words, { LAB })
      return text.split('\n').filter((line) => / (passed|failed|unknown)\b/.test(line) && OF_SERVERS.test(line))
    }
    const signal = (name: string) =>
      Promise.all(['db1', 'db2'].map((host) => lab.exec(host, `kill -${name} $(pgrep -u postgres -x postgres)`)))
    const before = await verify()
    expect(before.filter((line) => !/ passed\b/.test(line))).to.deep.equal([])
    expect(before.length).to.be.greaterThan(10)
    await signal('STOP')
    try {
      const frozen = await verify()
      expect(frozen.length).to.equal(before.length)
      expect(frozen.filter((line) => / passed\b/.test(line))).to.deep.equal([])
    } finally {
      await signal('CONT')
    }
    await eventually(async () => (await verify()).every((line) => / passed\b/.test(line)))
  })

  it('loses writes if commits do not wait for the replica, which proves the tests above; a warning says so first', async () => {
    well(await converge({ SYNCHRONOUS: 'no' }))
    const load = await underLoad(lab, async () => {
      await lab.split('db1', 'db2')
      await new Promise((done) => setTimeout(done, 3_000))
      await lab.kill('db1')
      await lab.heal('db1', 'db2')
      const refused = await run('failover')
      expect(refused.code, refused.text).to.equal(1)
      expect(refused.text).to.include('Acknowledged writes may be lost').and.include('--accept-data-loss')
      const { text } = await run('failover', '--accept-data-loss')
      expect(text).to.include('commits did not wait for it')
    })
    const lost = await lostOn(lab, 'db2', load)
    report('failover without waiting', load, lost)
    expect(lost.length).to.be.greaterThan(0)
  })
})

/** Checks that query a server; those of the record only query the hosts. */
const OF_SERVERS =
  /PostgreSQL answers|is the primary|are connected|stream from|timeline|behind|confirms|slot|needs a restart|no later|commits wait/

const PENDING =
  'systemctl -q is-active provision-postgres-back.timer || systemctl -q is-active provision-postgres-back.service'
