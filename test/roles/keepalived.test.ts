import { expect } from 'chai'
import { type KeepalivedParams, keepalived } from '../../roles/keepalived/index.ts'
import { weightsFor } from '../../roles/keepalived/lib/weights.ts'
import { stepsOf, textAt } from './expanded.ts'

const CONFIG = '/etc/keepalived/keepalived.conf'
const CHECK = '/usr/local/libexec/keepalived-check'

const PARAMS: KeepalivedParams = {
  vip: '198.18.0.10/24',
  priority: 250,
  address: '198.18.0.11',
  peers: [{ address: '198.18.0.12', priority: 240 }],
}

const text = (changed: Partial<KeepalivedParams> = {}, path = CONFIG) =>
  textAt(stepsOf(keepalived({ ...PARAMS, ...changed }), { interface: 'ens3' }), path)

describe('role keepalived', () => {
  it('holds the address on the interface of the default route, or on the given interface', () => {
    expect(text()).to.include('    198.18.0.10/24 dev ens3\n').and.include('  interface ens3\n')
    expect(text({ interface: 'bond0' })).to.include('    198.18.0.10/24 dev bond0\n')
  })

  it('sends adverts to the addresses of its peers five times a second', () => {
    expect(text())
      .to.include('  unicast_src_ip 198.18.0.11\n  unicast_peer {\n    198.18.0.12\n  }\n')
      .and.include('advert_int 0.2')
  })

  it('checks haproxy, or another URL, and not as root', () => {
    expect(text({}, CHECK)).to.include("'/dev/tcp/127.0.0.1/8405'").and.include("'/serving' '127.0.0.1'")
    expect(text({ checkUrl: 'http://[::1]/x?y=z' }, CHECK))
      .to.include("'/dev/tcp/::1/80'")
      .and.include("'/x?y=z' '::1'")
    expect(text()).to.match(/^ {2}script "\/usr\/bin\/setpriv --reuid=keepalived_check .*keepalived-check"$/m)
  })

  it('moves the address after two failed checks, and back after five successful ones', () => {
    expect(text()).to.include('  interval 1\n').and.include('  fall 2\n').and.include('  rise 5\n')
  })

  it('ranks a host in maintenance below all healthy hosts, and one with a failed check below that', () => {
    for (const priorities of [
      [250, 240],
      [200, 100],
      [254, 250, 150],
    ]) {
      const { maintenance, check } = weightsFor(priorities)
      const [highest, lowest] = [Math.max(...priorities), Math.min(...priorities)]
      expect(highest - maintenance).to.be.lessThan(lowest)
      expect(highest - check).to.be.lessThan(lowest - maintenance)
    }
  })

  it('sets no weight that keepalived would reject', () => {
    expect(weightsFor([254, 1])).to.deep.equal({ maintenance: 253, check: 253 })
  })

  it('removes the address of a killed daemon, and starts it again', () => {
    const dropIn = text({}, '/etc/systemd/system/keepalived.service.d/provision.conf')
    expect(dropIn).to.include('Restart=always\n').and.include('ExecStopPost=-ip address del 198.18.0.10/24 dev ens3\n')
  })

  it('rejects an empty list of peers, the host as its own peer, and equal priorities', () => {
    expect(() => text({ peers: [] })).to.throw(/no peer/)
    expect(() => text({ peers: [{ address: '198.18.0.11', priority: 1 }] })).to.throw(/the host itself/)
    expect(() => text({ priority: 240 })).to.throw(/same priority, 240/)
  })

  it('rejects an interface that the host does not have, and names the existing ones', () => {
    const steps = () => stepsOf(keepalived({ ...PARAMS, interface: 'eth9' }), { interfaces: ['eth0', 'lo'] })
    expect(steps).to.throw('no interface eth9')
  })

  it('rejects an address that belongs to a host', () => {
    expect(() => text({ vip: '198.18.0.12/24' })).to.throw(/is the address of a balancer/)
  })

  it('rejects a URL that would end its quotes', () => {
    expect(() => text({ checkUrl: "http://x/'; reboot #" })).to.throw(/cannot request/)
    expect(() => text({ checkUrl: 'https://x/' })).to.throw(/cannot request/)
    expect(() => text({ checkUrl: '' })).to.throw(/cannot request/)
  })
})
