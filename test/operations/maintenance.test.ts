import { expect } from 'chai'
import { footprint, noHosts } from '../integration/support.ts'
import { type Ended, Site } from '../proof/site.ts'
import { Clients, type Seen } from './load.ts'

const LAB = 'test-operations-2'

/** Hosts that leave for a time, for good, and that join, under load. */
describe('maintenance, scaling and reboots, on real hosts under load', function () {
  this.timeout('5m').slow('60s').bail(true)
  let site: Site

  before(async function () {
    if (noHosts()) return this.skip()
    site = await Site.up(LAB, { kept: false })
    await site.must()
    await site.healthy()
  })

  after(async () => {
    await site?.down({ keep: false })
  })

  const underLoad = async (body: () => Promise<Ended>): Promise<Seen> => {
    const load = new Clients(site.lab)
    const ended = await body()
    const seen = await load.end()
    const { failed, asked, gap } = seen
    console.log(
      `    ${ended.seconds.toFixed(1)} s, ${failed.length} of ${asked} requests failed, ${gap} ms without an answer`,
    )
    expect(ended.code, ended.text).to.equal(0)
    return seen
  }
  const noFailure = ({ failed }: Seen) => expect(failed.join('\n')).to.equal('')
  const holder = async () => (await site.balancers()).holder

  it('moves the address to the peer and back with at most one new connection lost, and each kept one once', async () => {
    expect(await holder()).to.equal('lb1')
    const away = await underLoad(() => site.provision('maintenance', '--host', 'lb1'))
    expect(await holder()).to.equal('lb2')
    const back = await underLoad(() => site.provision('maintenance', '--host', 'lb1', '--end'))
    expect(await holder()).to.equal('lb1')
    for (const { failed } of [away, back]) {
      expect(failed.filter((line) => line.includes(' new ')).length, failed.join('\n')).to.be.at.most(1)
      expect(failed.length, failed.join('\n')).to.be.at.most(5)
    }
  })

  it('keeps a balancer in maintenance away from the address over a reboot of it', async () => {
    await site.must('maintenance', '--host', 'lb1')
    await site.lab.reset('lb1')
    await new Promise((done) => setTimeout(done, 6_000))
    expect(await holder()).to.equal('lb2')
    await site.must('maintenance', '--host', 'lb1', '--end')
    expect(await holder()).to.equal('lb1')
  })

  it('takes a web host out of both balancers without a failed request, over a reload, and leaves it out of other runs', async () => {
    noFailure(await underLoad(() => site.provision('maintenance', '--host', 'web1')))
    await site.on('lb1', 'systemctl reload haproxy && sleep 1')
    const state =
      "echo 'show stat web 4 -1' | socat - /run/haproxy/admin.sock | awk -F, '$2 == \"web1\" { print $18 }'"
    expect(await site.on('lb1', state)).to.equal('DRAIN')
    const run = await site.must()
    expect(run.text).to.include('skipped: all on web1, since it is in maintenance since')
    expect(await site.on('lb2', state)).to.equal('DRAIN')
    const second = await site.provision('maintenance', '--host', 'web2')
    expect(second.code).to.equal(1)
    expect(second.text).to.include('web2 is the last host of web in service')
    noFailure(await underLoad(() => site.provision('maintenance', '--host', 'web1', '--end')))
    expect(await site.on('lb1', state)).to.match(/^UP/)
    expect((await site.provision('maintenance', '--host', 'web1', '--end')).text).to.include(
      'Nothing had to change',
    )
  })

  it('does not let the primary of the database go, and ends the wait for a replica that does', async () => {
    const { primary, replica } = await site.databases()
    const refused = await site.provision('maintenance', '--host', primary)
    expect(refused.code).to.equal(1)
    expect(refused.text).to.include('Switch over first')
    await site.must('maintenance', '--host', replica)
    await site.lab.kill(replica)
    noFailure(await underLoad(() => site.provision('--check', '--limit', 'app')))
    await site.lab.start(replica)
    await site.must('maintenance', '--host', replica, '--end')
    await site.healthy()
  })

  it('retires hosts without a failed request; without them in the inventory, a run changes nothing', async () => {
    const without = (host: string) =>
      site.edit('inventory/lab.ts', (text) => text.replace(new RegExp(`, ${host}: at\\('${host}'\\)`), ''))
    noFailure(await underLoad(() => site.provision('retire', '--host', 'web2')))
    const back = [without('web2')]
    noFailure(await underLoad(() => site.provision('retire', '--host', 'app2')))
    const refused = await site.provision('retire', '--host', 'web1')
    expect(refused.code, refused.text).to.equal(64)
    expect(refused.text).to.include('web1 is the only host of web')
    back.unshift(without('app2'))
    const { code, text } = await site.provision()
    for (const undo of back) undo()
    expect(code, text).to.equal(0)
    expect(text).to.include('Nothing had to change: 6 hosts')
  })

  it('takes hosts in again, and writes to nobody but them and those that have to know them', async () => {
    const joins = async (without: string) => {
      const undo = site.edit('inventory/lab.ts', (text) =>
        text.replace(new RegExp(`, ${without}: at\\('${without}'\\)`), ''),
      )
      await site.must()
      const before = await footprint(site.lab)
      undo()
      noFailure(await underLoad(() => site.provision()))
      const now = await footprint(site.lab)
      return Object.keys(now).filter((host) => now[host] !== before[host])
    }
    expect(await joins('app2')).to.have.members(['app2', 'web1', 'web2', 'db1', 'db2'])
    // It was set up already, and only left out: its neighbours have forgotten it.
    expect(await joins('web2')).to.have.members(['lb1', 'lb2', 'app1', 'app2'])
    await site.healthy()
  })

  it('reboots all hosts, one after another, without a failed request on new connections', async () => {
    const boots = () =>
      Promise.all(
        site.lab.hosts.map(({ name }) =>
          site.on(name, 'cat /proc/sys/kernel/random/boot_id; stat -c %Y /proc/1'),
        ),
      )
    const before = await boots()
    const { failed } = await underLoad(() => site.provision('reboot'))
    const now = await boots()
    expect(now.filter((boot, i) => boot === before[i])).to.deep.equal([])
    expect(failed.filter((line) => line.includes(' new ')).length, failed.join('\n')).to.be.at.most(2)
    await site.healthy()
  })
})
