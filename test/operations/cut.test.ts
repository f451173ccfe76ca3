import { expect } from 'chai'
import { eventually, ownLab } from '../integration/support.ts'
import { lostOn, sql, underLoad } from './database-load.ts'
import { databaseFiles, operate } from './database-site.ts'

/** The primary is isolated and runs on, another host is promoted, and then the isolation ends. */
describe('an isolated primary, on real hosts', function () {
  this.slow('60s').bail(true)
  const hosts = ownLab('test-cut', ['db1', 'db2', 'app1'], () => databaseFiles(['db1', 'db2']))

  before(async () => {
    const { code, text } = await hosts.run()
    expect(code, text).to.equal(0)
  })

  const active = async () =>
    (await hosts.lab.exec('db1', 'systemctl is-active postgresql@*-main.service')).stdout.trim() === 'active'
  const count = (host: string, key: string) =>
    sql(hosts.lab, host, `select count(*) from notes.note where idempotency_key = '${key}'`, {
      database: 'notes',
    })

  it('acknowledges nothing, and stops by itself when the isolation ends: no acknowledged write is lost', async () => {
    const { lab } = hosts
    let stopped = 0
    const load = await underLoad(lab, async () => {
      await lab.cut('db1')
      const { code, text } = await operate(hosts, 'failover')
      expect(code, text).to.equal(0)
      expect(text).to.include('not fenced, no answer db1')
      expect(text).to.match(/^db1 +skipped: not reachable; when it is reachable again: provision rejoin --host db1$/m)
      expect(await active(), 'no one has reported it').to.equal(true)
      const alone = await sql(
        lab,
        'db1',
        "insert into notes.note (text, host, idempotency_key) values ('x', 'x', 'while-cut-off')",
        { database: 'notes', within: 3 },
      )
      expect(alone.code, 'it waits for a replica').to.equal(124)
      await lab.uncut('db1')
      stopped = await eventually(async () => !(await active()))
    })
    console.log(
      `    the old primary stopped ${(stopped / 1000).toFixed(1)} s after the cut ended; ${load.acknowledged.length} writes acknowledged, ${load.failed.length} requests failed`,
    )
    expect(await lostOn(lab, 'db2', load)).to.deep.equal([])
    expect((await count('db2', 'while-cut-off')).stdout.trim()).to.equal('0')
    expect((await lab.exec('db1', 'journalctl -q -u provision-postgres-fence -o cat')).stdout).to.include(
      'Stopped: db2 is the primary, on timeline 2, and this host was one on timeline 1.',
    )
  })

  it('stays stopped after a start and a boot, and checks and runs of the site name it', async () => {
    const { lab } = hosts
    await lab.exec('db1', 'systemctl start postgresql@15-main.service')
    expect(await active()).to.equal(false)
    await lab.reset('db1')
    await lab.exec('db1', 'systemctl is-system-running --wait')
    expect(await active()).to.equal(false)
    const verified = await operate(hosts, 'verify', `${hosts.desk.directory}/verify.ts`)
    expect(verified.code).not.to.equal(0)
    expect(verified.text).to.match(/postgresql is running.*failed/)
    const { code, text } = await hosts.run()
    expect(code, text).to.equal(1)
    expect(text).to.include('provision rejoin --host db1')
  })

  it('is a replica again after a rejoin, without its unreplicated writes', async () => {
    const { code, text } = await operate(hosts, 'rejoin', '--host', 'db1')
    expect(code, text).to.equal(0)
    expect((await count('db1', 'while-cut-off')).stdout.trim()).to.equal('0')
    expect((await hosts.run()).text).to.include('No changes')
  })
})
