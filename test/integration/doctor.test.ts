import { expect } from 'chai'
import { CODENAME, DEBIAN, footprint, ownLab, provision } from './support.ts'

const LAB = 'test-doctor'

describe('provision doctor, on real hosts', function () {
  this.slow('40s')
  const own = ownLab(LAB, ['web1', 'web2'], () => ({ 'stack.ts': STACK, 'inventory.ts': INVENTORY }))

  const doctor = (more: readonly string[] = [], env: Readonly<Record<string, string>> = {}) =>
    provision(['doctor', '--inventory', `${own.desk.directory}/inventory.ts`, '--no-type-check', ...more], {
      LAB,
      ...env,
    })
  const found = async (...more: readonly string[]) => {
    const { code, text } = await doctor(['--output', 'json', ...more])
    const lines = text
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Line)
    const failed = lines.filter(({ kind, outcome }) => kind === 'check' && outcome === 'failed')
    return {
      code,
      text,
      lines,
      failed: new Map(failed.map((line) => [`${line.about}: ${line.label}`, line])),
    }
  }
  const done = async (command: string, host = 'web1') => {
    const { code, stdout, stderr } = await own.lab.exec(host, command)
    expect(code, `${command}\n${stdout}${stderr}`).to.equal(0)
    return stdout
  }

  it('finds no problem on healthy hosts, and changes nothing on them', async () => {
    await footprint(own.lab)
    const before = await footprint(own.lab)
    const { code, text } = await doctor()
    expect(code, text).to.equal(0)
    expect(text).to.match(/^web1 +login and root +passed +as deploy, then root$/m)
    expect(text).to.match(new RegExp(`^ +Debian +passed +${DEBIAN} \\(${CODENAME}\\)$`, 'm'))
    expect(text).to.match(/^(\d+) checks on 2 hosts: \1 passed\./m)
    expect(await footprint(own.lab)).to.deep.equal(before)
  })

  it('reports each problem with its fix, and reports ok after the fix', async () => {
    await done('apt-get -qq update && cd /tmp && apt-get -qq download hello && dpkg --unpack hello_*.deb')
    await done(
      `systemd-run --quiet --unit=broken false; until systemctl is-failed -q broken; do sleep 0.1; done; touch /run/reboot-required`,
    )
    await done(`echo 'linux-image' > /run/reboot-required.pkgs`)
    await done(`echo 'MaxSessions 1' > /etc/ssh/sshd_config.d/00-one.conf`)
    await own.lab.fillDisk('web1')
    const { code, text, failed } = await found()
    await own.lab.freeDisk('web1')
    expect(code, text).to.equal(1)
    expect([...failed.keys()]).to.deep.equal(
      ['disk', 'apt and dpkg', 'reboot', 'systemd', 'sshd'].map((label) => `web1: ${label}`),
    )
    const problem = (label: string) => failed.get(`web1: ${label}`)?.problem
    expect(problem('disk')?.message).to.match(/^\S+ is nearly full: \d+ MiB are free\.$/)
    expect(problem('reboot')?.message).to.equal('It waits for a reboot, since linux-image was replaced.')
    expect(problem('apt and dpkg')).to.include({
      message: 'Installations were cut off: hello (unpacked).',
      next: 'On the host: dpkg --configure -a, then apt-get install --fix-broken',
    })
    expect(problem('systemd')).to.include({
      message: 'These units have failed: broken.service.',
      next: 'See journalctl -u broken.service; when it is fixed: systemctl reset-failed',
    })

    await done('dpkg --configure -a && apt-get -qq -y install --fix-broken && systemctl reset-failed')
    await done('rm /etc/ssh/sshd_config.d/00-one.conf /run/reboot-required*')
    const repaired = await found()
    expect(repaired.code, repaired.text).to.equal(0)
  })

  it('names the process that holds a lock of apt or dpkg', async () => {
    await done(`systemd-run --quiet --unit=holder python3 -c '${HOLD}'; until [ -e /run/held ]; do sleep 0.1; done`)
    const { code, text, failed } = await found('--limit', 'web1')
    await done('systemctl stop holder; rm /run/held')
    expect(code, text).to.equal(1)
    expect(failed.get('web1: apt and dpkg')?.problem?.message).to.match(/^The dpkg lock held by python3, pid \d+\.$/)
  })

  it('reports an unreachable host, exits with 3, and still checks the others', async () => {
    await own.lab.cut('web2')
    const { code, text } = await doctor([], { OFF: 'web2' })
    await own.lab.uncut('web2')
    expect(code, text).to.equal(3)
    expect(text).to.match(/^web1 +login and root +passed/m)
    expect(text).to.match(/^error: .*web2/m)
    expect(text).to.match(/unreachable: web2\. \(/)
  })
})

interface Line {
  readonly kind: string
  readonly about: string
  readonly label: string
  readonly outcome: string
  readonly problem?: { readonly message: string; readonly next?: string }
}

/** Takes the lock in the same way as apt. */
const HOLD = `import fcntl, time
file = open("/var/lib/dpkg/lock-frontend", "w")
fcntl.lockf(file, fcntl.LOCK_EX)
open("/run/held", "w")
time.sleep(100000)`

const STACK = `import { hosts, inventorySchema } from 'provision-ts'
export const site = inventorySchema({ web: hosts() })
`
const INVENTORY = `import { inventory } from 'provision-ts'
import { openLab } from 'provision-ts/lab'
import { site } from './stack.ts'
const { hosts } = openLab(process.env['LAB'])
// A short limit for a host that is known to be off. The others keep the default, which slow hosts need.
const limits = (name: string) => (name === process.env['OFF'] ? { timeouts: { login: '2s' as const } } : {})
export default inventory(site, {
  web: { hosts: Object.fromEntries(hosts.map(({ name, address, ssh }) => [name, { address, ssh, ...limits(name) }])) },
})
`
