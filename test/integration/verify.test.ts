import { expect } from 'chai'
import { downLab, type Lab } from '../../src/lab/index.ts'
import { provisionedLab } from './provisioned.ts'
import { eventually, footprint, noHosts, provision } from './support.ts'

const LAB = 'test-verify'
const LAB_INVENTORY = ['--inventory', 'inventory/lab.ts']

/** The whole stack, first healthy, then with several faults. Each fault must fail exactly the checks that it affects. */
describe('provision verify, on real hosts', function () {
  this.slow('60s').bail(true)
  let lab: Lab

  before(async function () {
    if (noHosts()) return this.skip()
    lab = await provisionedLab(LAB)
  })
  after(async () => {
    if (!noHosts()) await downLab(LAB)
  })

  const verify = async (...words: readonly string[]) => {
    const { code, text } = await provision(['verify', ...LAB_INVENTORY, '--output', 'json', ...words], {
      LAB,
    })
    const lines = text
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Line)
    const named = (wanted: string) =>
      lines
        .filter(({ kind, outcome }) => kind === 'check' && outcome === wanted)
        .map(({ about, label }) => `${about} ${label}`)
        .sort()
    const unreachable = lines.flatMap(({ kind, host }) => (kind === 'unreachable' && host ? [host] : []))
    return {
      code,
      text,
      unreachable,
      failed: named('failed'),
      unknown: named('unknown'),
      passed: named('passed'),
    }
  }
  /** The number of notes, and the last value of their sequence. */
  const notes = async () =>
    (
      await lab.exec(
        'db1',
        "cd / && setpriv --reuid postgres --regid postgres --init-groups psql -AtXc \"select count(*), pg_sequence_last_value(pg_get_serial_sequence('notes.note', 'id')::regclass) from notes.note\" notes",
      )
    ).stdout

  it('passes on a healthy stack, and changes nothing on it', async () => {
    const first = await verify('--within', '9m')
    expect(first.failed, first.text).to.deep.equal([])
    const before = await footprint(lab)
    const written = await notes()
    expect(written).to.match(/^\d+\|/)
    const { code, passed, failed, unknown } = await verify()
    expect([code, failed, unknown]).to.deep.equal([0, [], []])
    expect(passed.length).to.be.greaterThan(80)
    expect(await footprint(lab)).to.deep.equal(before)
    expect(await notes()).to.equal(written)
  })

  it('fails exactly the checks that a fault affects', async () => {
    await Promise.all([
      lab.exec('web2', 'systemctl stop nginx'),
      lab.exec('lb2', 'echo 1 > /run/keepalived-maint'),
      lab.exec(
        'app1',
        'mkdir -p /var/lib/provision/pending-handlers && touch /var/lib/provision/pending-handlers/reload%20x',
      ),
      lab.exec('db1', 'touch /run/reboot-required'),
      lab.fillDisk('app2'),
    ])
    // The balancers take a moment to detect that a server is down.
    const state = "echo 'show stat' | socat - /run/haproxy/admin.sock | grep ,web2, | grep -c DOWN"
    for (const balancer of ['lb1', 'lb2']) await eventually(async () => (await lab.exec(balancer, state)).code === 0)
    const { code, failed, unknown, text } = await verify()
    await Promise.all([
      lab.exec('web2', 'systemctl start nginx'),
      lab.exec('lb2', 'echo 0 > /run/keepalived-maint'),
      lab.exec('app1', 'rm /var/lib/provision/pending-handlers/reload%20x'),
      lab.exec('db1', 'rm /run/reboot-required'),
      lab.freeDisk('app2'),
    ])
    expect([code, unknown]).to.deep.equal([1, []])
    expect(failed).to.deep.equal([
      'app1 nothing is left of unfinished runs',
      'app2 disks are at most 85 % full',
      'db1 no reboot is pending',
      'lb1 can connect to web1:8080, web2:8080',
      'lb1 haproxy has web1, web2 in service',
      'lb2 can connect to web1:8080, web2:8080',
      'lb2 haproxy has web1, web2 in service',
      'lb2 is not in maintenance',
      'web2 nginx answers',
      'web2 nginx forwards requests to the application',
      'web2 nginx is running and stable',
      'web2 nginx serves the page',
    ])
    expect(text).to.include('pending handler: reload x').and.to.include('web2 is DOWN')
  })

  it('passes again after the repair', async () => {
    const { code, failed } = await verify('--within', '9m')
    expect(failed).to.deep.equal([])
    expect(code).to.equal(0)
  })

  it('finds a port that is open to hosts without access', async () => {
    await lab.exec('db1', 'nft insert rule inet provision input tcp dport 5432 accept || nft flush ruleset')
    const { failed } = await verify()
    await lab.exec('db1', 'systemctl restart provision-firewall')
    expect(failed).to.include.members([
      'lb1 cannot connect to db1:5432, db2:5432',
      'web1 cannot connect to db1:5432, db2:5432',
    ])
    expect(failed.filter((line) => !line.includes('cannot connect to db1'))).to.deep.equal([])
  })

  it('names a frozen replica, and reports its own checks as unknown', async () => {
    const { stdout } = await lab.exec('db1', 'ls /var/lib/postgresql/*/main/standby.signal')
    const replica = stdout.trim() === '' ? 'db2' : 'db1'
    const all = "'postgresql@*-main.service'"
    await lab.exec(replica, `systemctl kill -s STOP ${all}`)
    const { code, failed, unknown, text } = await verify()
    await lab.exec(replica, `systemctl kill -s CONT ${all}`)
    expect(code, text).to.equal(1)
    expect(failed).to.include(`${replica} postgresql is running and stable`)
    expect(unknown).to.include(`${replica} PostgreSQL answers`)
    expect((await verify('--within', '60s')).code).to.equal(0)
  })

  it('fails nothing that works while each host has 5 % of a core, and names a real fault', async () => {
    await Promise.all(lab.hosts.map(({ name }) => lab.slow(name, 5)))
    try {
      const well = await verify()
      expect(well.failed, well.text).to.deep.equal([])
      expect(well.code).to.be.oneOf([0, 4])
      await lab.exec('web1', 'systemctl stop nginx')
      const { code, failed, text } = await verify()
      expect(code, text).to.equal(1)
      expect(failed).to.include('web1 nginx is running and stable')
    } finally {
      await Promise.all(lab.hosts.map(({ name }) => lab.fast(name)))
      await lab.exec('web1', 'systemctl start nginx')
    }
    expect((await verify('--within', '60s')).code).to.equal(0)
  })

  it('checks all other hosts if a host is off, and only the selected ones with --limit', async () => {
    await lab.kill('web2')
    const all = await verify()
    const others = await verify('--limit', 'db,app')
    const both = await verify('--limit', 'db,web2')
    await lab.start('web2')
    expect([all.code, all.unreachable]).to.deep.equal([1, ['web2']])
    expect(all.unknown.every((line) => line.startsWith('web2 ') || line.startsWith('all '))).to.equal(true)
    expect(all.passed).to.include.members(['web1 nginx serves the page', 'db all replicas stream from the primary'])
    expect([others.code, others.unknown, others.unreachable]).to.deep.equal([0, [], []])
    expect([both.code, both.failed, both.unreachable]).to.deep.equal([3, [], ['web2']])
    expect((await verify('--within', '9m')).code).to.equal(0)
  })
})

interface Line {
  readonly kind: string
  readonly about?: string
  readonly label?: string
  readonly outcome?: string
  readonly host?: string
}
