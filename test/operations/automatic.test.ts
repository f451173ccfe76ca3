import { expect } from 'chai'
import { downLab, type Lab, upLab } from '../../src/lab/index.ts'
import { Desk, eventually, freshLab, noHosts } from '../integration/support.ts'
import { killPatroni, killServer, leaderIn, patchCluster, promoted, wholeCluster } from './automatic-accidents.ts'
import { AUTOMATIC_FILES, AUTOMATIC_HOSTS, operateOn, other, rolesIn } from './automatic-site.ts'
import { type Load, lostOn, sql, underLoad } from './database-load.ts'

const LAB = 'test-automatic'

/** Failover by Patroni on real hosts of Debian 13: the migration of a site, the failures that it survives, and its operations. */
describe('automatic failover of the database', function () {
  this.slow('60s').bail(true)
  let lab: Lab
  let desk: Desk
  const operate = (words: readonly string[], env = {}) => operateOn(lab, desk.directory, words, env)
  const run = (env = {}) => operate([`${desk.directory}/playbook.ts`], env)
  const well = async (words: readonly string[], env = {}) => {
    const { code, text } = await operate(words, env)
    expect(code, text).to.equal(0)
    return text
  }
  const converged = async (env = {}) => {
    const { code, text } = await run(env)
    expect(code, text).to.equal(0)
    return text
  }
  const unchanged = async (env = {}) => expect(await converged(env)).to.include('No changes')
  /** The first run records a primary that Patroni has promoted. */
  const unchangedAfterwards = async () => {
    await converged()
    await unchanged()
  }
  /** The hosts of the tiers above do not exist, so their checks are unknown. */
  const verified = async (env = {}) => {
    const { text } = await operate(['verify', `${desk.directory}/verify.ts`], env)
    expect(text).to.match(/: \d+ passed, 3 unknown, unreachable: (lb1|lb2|web1), /)
  }
  const on = async (host: string, command: string) => {
    const { code, stdout, stderr } = await lab.exec(host, command)
    expect(code, `${host}: ${command}\n${stdout}${stderr}`).to.equal(0)
    return stdout.trim()
  }
  const servers = () =>
    Promise.all(['db1', 'db2'].map((host) => on(host, 'head -n 1 /var/lib/postgresql/17/main/postmaster.pid')))
  const timeline = () =>
    sql(lab, 'db1', "select ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int").then(({ stdout }) =>
      stdout.trim(),
    )
  const leader = () => leaderIn(lab)
  const whole = () => wholeCluster(lab)
  const rest = (ms: number) => new Promise((done) => setTimeout(done, ms))
  const nothingLost = async (load: Load) => {
    const name = await leader()
    expect(await lostOn(lab, name, load)).to.deep.equal([])
    expect(load.acknowledged.length).to.be.greaterThan(20)
  }

  before(async function () {
    if (noHosts()) return this.skip()
    lab = await freshLab({ name: LAB, hosts: AUTOMATIC_HOSTS, debian: 13 })
    desk = new Desk()
    for (const [path, text] of Object.entries(AUTOMATIC_FILES)) desk.write(path, text)
  })

  afterEach(async function () {
    if (this.currentTest?.state !== 'failed') return
    const log =
      "journalctl -u patroni -o cat -n 400 --no-pager | grep -E '^20.*(INFO|WARNING|ERROR|CRITICAL)' | tail -n 60"
    for (const host of ['db1', 'db2'])
      console.log(`    ${host}:\n${await lab.exec(host, log).then(({ stdout }) => stdout, String)}`)
  })

  after(async () => {
    desk?.remove()
    if (!noHosts()) await downLab(LAB)
  })

  it('replaces manual failover, and is replaced by it again, while the servers run and acknowledge writes', async () => {
    await converged({ FAILOVER: 'manual' })
    await unchanged({ FAILOVER: 'manual' })
    const before = await servers()
    // The installation of packages slows a busy machine; only the change itself must not affect clients.
    await converged()
    await converged({ FAILOVER: 'manual' })
    const load = await underLoad(lab, async () => {
      await converged()
      await converged({ FAILOVER: 'manual' })
    })
    console.log(`    ${load.acknowledged.length} writes acknowledged, ${load.failed.length} requests failed`)
    expect(load.failed).to.deep.equal([])
    expect(await timeline()).to.equal('1')
    expect(await servers()).to.deep.equal(before)
    expect(await sql(lab, 'db1', 'show synchronous_standby_names').then(({ stdout }) => stdout.trim())).to.equal(
      'ANY 1 ("db2")',
    )
    expect(await lostOn(lab, 'db1', load)).to.deep.equal([])
    await unchanged({ FAILOVER: 'manual' })
  })

  it('is active after one run, and a second one changes nothing', async () => {
    await converged()
    await whole()
    await unchanged()
    await verified()
  })

  it('shows changed settings in etcd, and resets them', async () => {
    await patchCluster(lab, await leader(), { ttl: 60, pause: true })
    const { text } = await operate([`${desk.directory}/playbook.ts`, '--check'])
    expect(text).to.include('ttl 60 → 20').and.include('pause true → unset')
    const paused = await operate(['verify', `${desk.directory}/verify.ts`])
    expect(paused.text).to.match(/automatic failover is not paused +failed/)
    await converged()
    await unchanged()
    await verified()
  })

  it('raises a limit first on the replica, then on the primary', async () => {
    await converged({ CONNECTIONS: '120' })
    for (const host of ['db1', 'db2'])
      expect((await sql(lab, host, 'show max_connections')).stdout.trim()).to.equal('120')
    await unchanged({ CONNECTIONS: '120' })
    await converged()
    await converged()
    await unchanged()
    await whole()
  })

  it('moves the primary by a switchover, without a lost write', async () => {
    const first = await leader()
    const load = await underLoad(lab, async () => {
      await well(['switchover'])
    })
    expect(await leader()).to.equal(other(first))
    expect(load.failed).to.deep.equal([])
    console.log(`    ${load.gap} ms without a write`)
    await nothingLost(load)
    await whole()
    await unchangedAfterwards()
  })

  it('restarts or replaces a server that was killed', async () => {
    const name = await leader()
    const load = await underLoad(lab, async () => {
      await killServer(lab, name)
      await rest(3_000)
      await eventually(async () => (await rolesIn(lab)).leader !== undefined)
      await rest(2_000)
    })
    console.log(`    ${load.gap} ms without a write`)
    await nothingLost(load)
    await whole()
  })

  it('continues with the same primary if only Patroni is killed', async () => {
    const name = await leader()
    const load = await underLoad(lab, async () => {
      await killPatroni(lab, name)
      await rest(25_000)
    })
    expect(await leader()).to.equal(name)
    expect(load.failed).to.deep.equal([])
    await nothingLost(load)
  })

  it('replaces a primary after a power loss of its host, which rejoins as a replica by itself', async () => {
    const name = await leader()
    const load = await underLoad(lab, async () => {
      await whole()
      await lab.kill(name)
      const waited = await operate(['failover'])
      expect(waited.code, waited.text).to.equal(0)
      await rest(5_000)
    })
    expect(await leader()).to.equal(other(name))
    console.log(`    ${load.gap} ms without a write`)
    await nothingLost(load)
    await lab.start(name)
    await whole()
    await nothingLost(load)
    await unchangedAfterwards()
  })

  it('does not let a frozen primary resume its role', async () => {
    const name = await leader()
    const load = await underLoad(lab, async () => {
      await lab.freeze(name)
      await promoted(lab, other(name))
      await rest(3_000)
      await lab.thaw(name)
      await rest(10_000)
    })
    await whole()
    expect(await leader()).to.equal(other(name))
    console.log(`    ${load.gap} ms without a write`)
    await nothingLost(load)
  })

  it('replaces an isolated primary, which acknowledges nothing from then on', async () => {
    const name = await leader()
    const load = await underLoad(lab, async () => {
      await lab.cut(name)
      await promoted(lab, other(name))
      await rest(3_000)
      await lab.uncut(name)
      await rest(5_000)
    })
    await whole()
    expect(await leader()).to.equal(other(name))
    console.log(`    ${load.gap} ms without a write`)
    await nothingLost(load)
  })

  it('continues if the replica is lost, and if the two databases cannot reach each other', async () => {
    const name = await leader()
    const load = await underLoad(lab, async () => {
      await lab.kill(other(name))
      await rest(15_000)
      await lab.start(other(name))
      await whole()
      await lab.split('db1', 'db2')
      await rest(15_000)
      await lab.heal('db1', 'db2')
    })
    await whole()
    expect(await leader()).to.equal(name)
    console.log(`    ${load.gap} ms without a write`)
    await nothingLost(load)
  })

  it('makes writes wait for a lost replica if synchronous is strict, until it returns', async () => {
    const strict = { SYNCHRONOUS: 'strict' }
    await converged(strict)
    await unchanged(strict)
    const name = await leader()
    const value = (text: string, database = 'postgres') =>
      sql(lab, name, text, { database }).then(({ stdout }) => stdout.trim())
    const load = await underLoad(lab, async () => {
      const refused = await operate(['maintenance', '--host', other(name)], strict)
      expect(refused.text).to.include('No replica would be left, and writes would wait: synchronous is strict')
      await lab.kill(other(name))
      await eventually(async () => (await value('show synchronous_standby_names')) === '*')
      // A write that waits for a replica is not visible.
      const visible = () => value('select count(*) from notes.note', 'notes')
      const before = await visible()
      await rest(10_000)
      expect(await visible()).to.equal(before)
      await lab.start(other(name))
      await whole()
      await eventually(async () => (await visible()) !== before)
    })
    expect(await leader()).to.equal(name)
    await nothingLost(load)
    await unchanged(strict)
    await converged()
    await unchanged()
  })

  it('does not react to the loss of the witness, and continues if the majority of etcd is lost', async () => {
    const name = await leader()
    const load = await underLoad(lab, async () => {
      await lab.kill('witness1')
      await rest(5_000)
      await on(other(name), 'systemctl stop etcd')
      await rest(20_000)
      await on(other(name), 'systemctl start etcd')
      await lab.start('witness1')
      await rest(5_000)
    })
    expect(load.failed).to.deep.equal([])
    expect(await leader()).to.equal(name)
    await nothingLost(load)
    await whole()
    await unchangedAfterwards()
  })

  it('recovers by itself after all hosts were off', async () => {
    const load = await underLoad(lab, () => rest(1_000))
    await Promise.all(['db1', 'db2', 'witness1'].map((host) => lab.kill(host)))
    for (const host of ['db2', 'witness1', 'db1']) await lab.start(host)
    await whole()
    await nothingLost(load)
    await unchangedAfterwards()
    await verified()
  })

  it('supports maintenance of a replica, and brings it back', async () => {
    const name = await leader()
    const replica = other(name)
    const refused = await operate(['maintenance', '--host', name])
    expect(refused.text).to.include(`${name} is the primary of the database`)
    const load = await underLoad(lab, async () => {
      await well(['maintenance', '--host', replica])
      await rest(2_000)
    })
    expect(load.failed).to.deep.equal([])
    expect((await lab.exec(replica, 'systemctl is-active patroni')).code).to.not.equal(0)
    await well(['maintenance', '--host', replica, '--end'])
    await whole()
    await unchangedAfterwards()
  })

  it('supports maintenance of the witness, which other runs skip, and brings its vote back', async () => {
    const load = await underLoad(lab, async () => {
      await well(['maintenance', '--host', 'witness1'])
      await rest(2_000)
    })
    expect(load.failed).to.deep.equal([])
    expect((await lab.exec('witness1', 'systemctl is-active etcd')).code).to.not.equal(0)
    expect(await converged()).to.include('witness1: it is in maintenance since')
    expect((await lab.exec('witness1', 'systemctl is-active etcd')).code).to.not.equal(0)
    const replica = other(await leader())
    for (const words of [
      ['maintenance', '--host', replica],
      ['update', '--tier', 'db', '--packages'],
    ]) {
      const { code, text } = await operate(words)
      expect(code, text).to.not.equal(0)
      expect(text).to.include('witness1 has no vote now, and no other host can be taken out of service')
    }
    await well(['maintenance', '--host', 'witness1', '--end'])
    await verified()
    await unchanged()
  })

  it('rejects maintenance while another vote is missing', async () => {
    const name = await leader()
    await on('witness1', 'systemctl stop etcd')
    const { code, text } = await operate(['maintenance', '--host', other(name)])
    expect(code, text).to.not.equal(0)
    expect(text).to.include('witness1 has no vote now, and no other host can be taken out of service')
    await on('witness1', 'systemctl start etcd')
  })

  it('copies a damaged replica again, and keeps the old data', async () => {
    const replica = other(await leader())
    await on(
      replica,
      'systemctl stop patroni && mv /var/lib/postgresql/17/main/global /root/global && systemctl start patroni',
    )
    await well(['rejoin', '--host', replica, '--copy'])
    expect(await on(replica, 'ls /var/lib/postgresql/17')).to.include('main.before-')
    await whole()
  })

  it('reboots all hosts with a vote, one after another, without a failed request', async () => {
    const name = await leader()
    const boots = () =>
      Promise.all(['db1', 'db2', 'witness1'].map((host) => on(host, 'cat /proc/sys/kernel/random/boot_id')))
    const before = await boots()
    const load = await underLoad(lab, async () => {
      await well(['reboot', '--limit', 'db1,db2,witness1'])
    })
    const after = await boots()
    expect(after.filter((id) => before.includes(id))).to.deep.equal([])
    expect(load.failed).to.deep.equal([])
    expect(await leader()).to.equal(other(name))
    await nothingLost(load)
    await whole()
  })

  it('rejects operations that Patroni makes unnecessary or would revert', async () => {
    const alone = await operate(['disable-sync-replication'])
    expect(alone.text).to.include('provision disable-sync-replication is not available with automatic failover')
    const { text } = await operate(['failover'])
    expect(text).to.include('is the primary and answers.')
  })

  it('replaces a witness that is lost for good', async () => {
    const witness = { WITNESS: 'witness2' }
    lab = await upLab({ name: LAB, hosts: ['witness2'] })
    await lab.kill('witness1')
    expect((await operate(['verify', `${desk.directory}/verify.ts`])).text).to.match(/unreachable: .*witness1/)
    const refused = await operate(['reboot', '--limit', other(await leader())])
    expect(refused.text).to.include('witness1 has no vote now')
    const load = await underLoad(lab, () => converged(witness))
    expect(load.failed).to.deep.equal([])
    await nothingLost(load)
    await unchanged(witness)
    const members = (await on('db1', 'provision-etcdctl member list')).split('\n').map((line) => line.split(', ')[2])
    expect(members.sort()).to.deep.equal(['db1', 'db2', 'witness2'])
    await verified(witness)
    const name = await leader()
    const killed = await underLoad(lab, async () => {
      await lab.kill(name)
      await promoted(lab, other(name))
      await rest(5_000)
    })
    await nothingLost(killed)
  })
})
