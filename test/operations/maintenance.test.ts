import { expect } from 'chai'
import { footprint } from '../integration/support.ts'
import { noFailure, onNew, siteUnderLoad } from './site-under-load.ts'

/** Hosts in maintenance, hosts that are decommissioned, and hosts that join, under load. */
describe('maintenance, scaling and reboots, on real hosts under load', function () {
  this.slow('60s').bail(true)
  const own = siteUnderLoad('test-operations-2')
  const holder = async () => (await own.site.balancers()).holder

  it('moves the address to the peer and back with at most one lost new connection, and each kept one closed once', async () => {
    expect(await holder()).to.equal('lb1')
    const away = await own.underLoad(['maintenance', '--host', 'lb1'])
    expect(await holder()).to.equal('lb2')
    const back = await own.underLoad(['maintenance', '--host', 'lb1', '--end'])
    expect(await holder()).to.equal('lb1')
    for (const seen of [away, back]) {
      expect(onNew(seen).length, seen.failed.join('\n')).to.be.at.most(1)
      expect(seen.failed.length, seen.failed.join('\n')).to.be.at.most(5)
    }
  })

  it('keeps the address off a balancer in maintenance, also after a reboot', async () => {
    await own.site.must('maintenance', '--host', 'lb1')
    await own.site.lab.reset('lb1')
    await new Promise((done) => setTimeout(done, 6_000))
    expect(await holder()).to.equal('lb2')
    await own.site.must('maintenance', '--host', 'lb1', '--end')
    expect(await holder()).to.equal('lb1')
  })

  it('drains a web host from both balancers without a failed request, also over a reload, and other runs skip it', async () => {
    noFailure(await own.underLoad(['maintenance', '--host', 'web1']))
    await own.site.on('lb1', 'systemctl reload haproxy && sleep 1')
    const state = "echo 'show stat web 4 -1' | socat - /run/haproxy/admin.sock | awk -F, '$2 == \"web1\" { print $18 }'"
    expect(await own.site.on('lb1', state)).to.equal('DRAIN')
    const run = await own.site.must()
    expect(run.text).to.include('skipped: all on web1: it is in maintenance since')
    expect(await own.site.on('lb2', state)).to.equal('DRAIN')
    const second = await own.site.provision('maintenance', '--host', 'web2')
    expect(second.code).to.equal(1)
    expect(second.text).to.include('web2 is the last host of web in service')
    noFailure(await own.underLoad(['maintenance', '--host', 'web1', '--end']))
    expect(await own.site.on('lb1', state)).to.match(/^UP/)
    expect((await own.site.provision('maintenance', '--host', 'web1', '--end')).text).to.include('No changes')
  })

  it('rejects the primary of the database, and disables the wait for a replica in maintenance', async () => {
    const { primary, replica } = await own.site.databases()
    const refused = await own.site.provision('maintenance', '--host', primary)
    expect(refused.code).to.equal(1)
    expect(refused.text).to.include('Switch over first')
    await own.site.must('maintenance', '--host', replica)
    await own.site.lab.kill(replica)
    // The record of the primary on the other hosts says since when no replica follows; nothing else differs.
    const checked = await own.underLoad(['--check', '--limit', 'app'], 2)
    noFailure(checked)
    const changes = checked.text.match(/^app\d ~ .*$/gm) ?? []
    expect(changes.filter((line) => !line.includes('record of the primary'))).to.deep.equal([])
    await own.site.lab.start(replica)
    await own.site.must('maintenance', '--host', replica, '--end')
    await own.site.healthy()
  })

  it('decommissions hosts without a failed request; a run without them in the inventory changes nothing', async () => {
    const without = (host: string) =>
      own.site.edit('inventory/lab.ts', (text) => text.replace(new RegExp(`, ${host}: at\\('${host}'\\)`), ''))
    noFailure(await own.underLoad(['decommission', '--host', 'web2']))
    const back = [without('web2')]
    noFailure(await own.underLoad(['decommission', '--host', 'app2']))
    const refused = await own.site.provision('decommission', '--host', 'web1')
    expect(refused.code, refused.text).to.equal(64)
    expect(refused.text).to.include('web1 is the only host of web')
    back.unshift(without('app2'))
    const { code, text } = await own.site.provision()
    for (const undo of back) undo()
    expect(code, text).to.equal(0)
    expect(text).to.match(/No changes: \d+ steps ok on 6 hosts/)
  })

  it('adds hosts again, and changes only them and the hosts that refer to them', async () => {
    const joins = async (without: string) => {
      const undo = own.site.edit('inventory/lab.ts', (text) =>
        text.replace(new RegExp(`, ${without}: at\\('${without}'\\)`), ''),
      )
      await own.site.must()
      const before = await footprint(own.site.lab)
      undo()
      noFailure(await own.underLoad([]))
      const now = await footprint(own.site.lab)
      return Object.keys(now).filter((host) => now[host] !== before[host])
    }
    expect(await joins('app2')).to.have.members(['app2', 'web1', 'web2', 'db1', 'db2'])
    // web2 is configured already, and only the other hosts lack it.
    expect(await joins('web2')).to.have.members(['lb1', 'lb2', 'app1', 'app2'])
    await own.site.healthy()
  })

  it('reboots all hosts, one after another, without a failed request on new connections', async () => {
    const boots = () =>
      Promise.all(
        own.site.lab.hosts.map(({ name }) =>
          own.site.on(name, 'cat /proc/sys/kernel/random/boot_id; stat -c %Y /proc/1'),
        ),
      )
    const before = await boots()
    const seen = await own.underLoad(['reboot'])
    const now = await boots()
    expect(now.filter((boot, i) => boot === before[i])).to.deep.equal([])
    expect(onNew(seen).length, seen.failed.join('\n')).to.be.at.most(2)
    await own.site.healthy()
  })
})
