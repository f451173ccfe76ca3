import { spawn } from 'node:child_process'
import { expect } from 'chai'
import { downLab, type Lab } from '../../src/lab/index.ts'
import { Desk, eventually, freshLab, noHosts, provision, ROOT } from '../integration/support.ts'

const LAB = 'test-access'
/** The address of this machine in the network of the hosts. */
const OUR_ADDRESS = '198.18.0.1'

/** The access to a host, and the automatic changes that a host makes at night. */
describe('access to real hosts', function () {
  this.slow('20s').bail(true)
  let lab: Lab
  let desk: Desk

  const run = (steps: string, more: { readonly user?: string } = {}) => {
    desk.write('playbook.ts', playbookOf(steps))
    return provision(args(), { LAB, SSH_USER: more.user ?? '' })
  }
  const args = () => [
    ...['--inventory', `${desk.directory}/inventory.ts`, `${desk.directory}/playbook.ts`, '--no-type-check'],
  ]
  const on = async (command: string) => {
    const { code, stdout, stderr } = await lab.exec('web1', command)
    expect(code, `${command}\n${stdout}${stderr}`).to.equal(0)
    return stdout.trim()
  }
  const remains = () =>
    on(
      'ls -A /var/lib/provision/pending-handlers /var/lib/provision/transactions 2>/dev/null | grep -v : || true; ls -d /run/provision-*.* 2>/dev/null || true',
    )

  /** Starts a run that blocks the controller, and is not confirmed yet. */
  const shutOut = async () => {
    desk.write('playbook.ts', playbookOf('firewall([], { sshPort: 2222 })'))
    const child = spawn('node', [`${ROOT}/bin/provision.js`, ...args()], {
      env: { ...process.env, LAB, SSH_USER: '' },
    })
    await eventually(isShut)
    return child
  }
  const isShut = async () => (await on('nft list table inet provision')).includes('2222')

  before(async function () {
    if (noHosts()) return this.skip()
    lab = await freshLab({ name: LAB, hosts: ['web1'] })
    desk = new Desk()
    desk.write('package.json', '{ "type": "module" }')
    desk.write('stack.ts', STACK)
    desk.write('inventory.ts', INVENTORY)
  })

  after(async () => {
    desk?.remove()
    if (!noHosts()) await downLab(LAB)
  })

  it('survives a ruleset that blocks the controller: the host rolls it back', async () => {
    const first = await run("firewall([{ port: 8080, from: 'anywhere' }])")
    expect(first.code, first.text).to.equal(0)
    const before = await on('nft list table inet provision; cat /etc/nftables.d/provision.nft')
    const { code, text } = await run("firewall([{ port: 8080, from: 'anywhere' }], { sshPort: 2222 })")
    expect(code, text).to.equal(1)
    expect(text)
      .to.include('transaction firewall failed')
      .and.include('No new connection arrived within 20 s.')
      .and.include('The old files are restored and active.')
    expect(await on('nft list table inet provision; cat /etc/nftables.d/provision.nft')).to.equal(before)
    expect(await remains()).to.equal('')
    const again = await run("firewall([{ port: 8080, from: 'anywhere' }])")
    expect(again.text).to.include('No changes')
  })

  it('also survives if the run is killed in between', async () => {
    const child = await shutOut()
    child.kill('SIGKILL')
    await eventually(async () => !(await isShut()))
    expect((await run("firewall([{ port: 8080, from: 'anywhere' }])")).code).to.equal(0)
    expect(await remains()).to.equal('')
  })

  it('also survives if the host boots in between: it boots with the confirmed rules', async () => {
    const table = 'nft list table inet provision; cat /etc/nftables.d/provision.nft'
    const before = await on(table)
    const child = await shutOut()
    await lab.kill('web1')
    child.kill('SIGKILL')
    await lab.start('web1')
    expect(await on(table)).to.equal(before)
    const { code, text } = await run("firewall([{ port: 8080, from: 'anywhere' }])")
    expect(code, text).to.equal(0)
    expect(text).to.include('firewall: interrupted in an earlier run')
    expect(await remains()).to.equal('')
    expect(await on('find /etc/systemd -name "provision-rollback*"')).to.equal('')
  })

  it('is limited to the networks of admins, and a run from elsewhere is rejected before any change', async () => {
    const rules = "[{ port: 8080, from: 'anywhere' }]"
    const before = await on('nft list table inet provision')
    const refused = await run(`[file('/etc/before', 'x'), firewall(${rules}, { ssh: ['10.9.9.0/24', 'fd00::/8'] })]`)
    expect(refused.code, refused.text).to.equal(64)
    expect(refused.text)
      .to.include(`The firewall would lock out this machine, which connects from ${OUR_ADDRESS}.`)
      .and.include('allowed for ssh: 10.9.9.0/24, fd00::/8')
    expect(await on('ls /etc/before 2>/dev/null || echo none')).to.equal('none')
    expect(await on('nft list table inet provision')).to.equal(before)
    const narrow = await run(`firewall(${rules}, { ssh: ['10.9.9.0/24', '${OUR_ADDRESS}/32'] })`)
    expect(narrow.code, narrow.text).to.equal(0)
    expect(await on('nft list set inet provision ssh_from_4')).to.include(OUR_ADDRESS)
    const again = await run(`firewall(${rules}, { ssh: ['10.9.9.0/24', '${OUR_ADDRESS}/32'] })`)
    expect(again.text).to.include('No changes')
    expect((await run(`firewall(${rules})`)).code).to.equal(0)
  })

  it('requires a key, and sshd settings that block the controller are rolled back', async () => {
    const good = await run('base({ updates: false })')
    expect(good.code, good.text).to.equal(0)
    expect(await on('sshd -T | grep -E "^(passwordauthentication|permitrootlogin) "')).to.equal(
      'permitrootlogin without-password\npasswordauthentication no',
    )
    await on('mkdir -p -m 700 /root/.ssh && cp /home/deploy/.ssh/authorized_keys /root/.ssh/')
    const { code, text } = await run("base({ updates: false, ssh: { root: 'never' } })", { user: 'root' })
    expect(code, text).to.equal(1)
    expect(text, text).to.include('transaction ssh access').and.include('No new connection arrived')
    expect(await on('sshd -T | grep permitrootlogin')).to.equal('permitrootlogin without-password')
    const as = await run("base({ updates: false, ssh: { root: 'never' } })")
    expect(as.code, as.text).to.equal(0)
    expect(await on('sshd -T | grep permitrootlogin')).to.equal('permitrootlogin no')
  })

  it('allows security updates at night, which do not touch the services of the roles', async () => {
    await on('systemctl unmask apt-daily.timer apt-daily-upgrade.timer 2>/dev/null; systemctl daemon-reload')
    const { code, text } = await run('base({})')
    expect(code, text).to.equal(0)
    expect(await on('systemctl is-active apt-daily.timer apt-daily-upgrade.timer unattended-upgrades')).to.equal(
      'active\nactive\nactive',
    )
    const said = await on('unattended-upgrade --dry-run --debug 2>&1')
    expect(said)
      .to.match(/Allowed origins are: origin=Debian,codename=bookworm-security,label=Debian-Security\s*$/m)
      .and.match(/blacklist: haproxy keepalived nginx /i)
    expect(await on('apt-config dump Unattended-Upgrade::Automatic-Reboot')).to.include('"false"')
    const again = await run('base({})')
    expect(again.text).to.include('No changes')
  })

  it('rejects a run with an unknown release of Debian before any change', async () => {
    await on('sed -i \'s/^VERSION_ID=.*/VERSION_ID="11"/\' /usr/lib/os-release')
    const { code, text } = await run("[file('/etc/before', 'x'), base({ updates: false, journal: 99 })]")
    expect(code, text).to.equal(64)
    expect(text).to.include('web1 runs Debian 11').and.include('role base')
    expect(
      await on('test -e /etc/before && echo there || echo none; cat /etc/systemd/journald.conf.d/provision.conf'),
    ).to.match(/^none[\s\S]*SystemMaxUse=512M/)
  })
})

const STACK = `
import { hosts, inventorySchema } from 'provision-ts'
export const site = inventorySchema({ web: hosts() })
`

const INVENTORY = `
import { inventory } from 'provision-ts'
import { openLab } from 'provision-ts/lab'
import { site } from './stack.ts'

const lab = openLab(process.env.LAB)
const { address, ssh } = lab.host('web1')
const user = process.env.SSH_USER
export default inventory(site, { timeouts: { confirm: '20s' }, web: { hosts: { web1: { address, ssh: user ? { ...ssh, user } : ssh } } } })
`

function playbookOf(steps: string): string {
  return `
import { file, firewall, play, playbook } from 'provision-ts'
import { base } from '${ROOT}/roles/base/index.ts'
import { site } from './stack.ts'

export default playbook(site, ({ web }) => [play('web', { hosts: web }, () => [${steps}])])
`
}
