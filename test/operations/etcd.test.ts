import { expect } from 'chai'
import { downLab, type Lab } from '../../src/lab/index.ts'
import { Desk, eventually, freshLab, noHosts, provision, ROOT } from '../integration/support.ts'

const LAB = 'test-etcd'
const HOSTS = ['etcd1', 'etcd2', 'etcd3']

/** The role etcd on its own: members join and leave by the inventory. */
describe('the role etcd on real hosts of Debian 13', function () {
  this.slow('60s').bail(true)
  let lab: Lab
  let desk: Desk
  const run = (members: readonly string[], env: Readonly<Record<string, string>> = {}) =>
    provision(['--inventory', `${desk.directory}/inventory.ts`, `${desk.directory}/playbook.ts`, '--no-type-check'], {
      LAB,
      MEMBERS: members.join(),
      ...env,
    })
  const on = async (host: string, command: string) => {
    const { code, stdout, stderr } = await lab.exec(host, command)
    expect(code, `${host}: ${command}\n${stdout}${stderr}`).to.equal(0)
    return stdout.trim()
  }
  const converged = async (members: readonly string[], env = {}) => {
    const { code, text } = await run(members, env)
    expect(code, text).to.equal(0)
  }
  const voters = async (host: string) => {
    const list = await on(host, 'provision-etcdctl member list')
    return list
      .split('\n')
      .filter((line) => line.includes(', started, ') && line.endsWith('false'))
      .map((line) => line.split(', ')[2])
      .sort()
  }
  const verify = () =>
    provision(
      ['verify', '--inventory', `${desk.directory}/inventory.ts`, `${desk.directory}/verify.ts`, '--no-type-check'],
      { LAB, MEMBERS: HOSTS.join() },
    )
  const pids = () => Promise.all(HOSTS.map((host) => on(host, 'systemctl show -p MainPID --value etcd')))

  before(async function () {
    if (noHosts()) return this.skip()
    lab = await freshLab({ name: LAB, hosts: HOSTS, debian: 13 })
    desk = new Desk()
    desk.write('stack.ts', STACK)
    desk.write('inventory.ts', INVENTORY)
    desk.write('playbook.ts', PLAYBOOK)
    desk.write('verify.ts', VERIFY)
  })

  after(async () => {
    desk?.remove()
    if (!noHosts()) await downLab(LAB)
  })

  it('starts with one member, grows to three one at a time, and keeps the data', async () => {
    await converged(['etcd1'])
    await on('etcd1', 'provision-etcdctl put greeting hello')
    await converged(HOSTS)
    expect(await voters('etcd3')).to.deep.equal(HOSTS)
    expect(await on('etcd3', 'provision-etcdctl get --print-value-only greeting')).to.equal('hello')
    const { code, text } = await run(HOSTS)
    expect(code, text).to.equal(0)
    expect(text).to.include('No changes')
    const verified = await verify()
    expect(verified.code, verified.text).to.equal(0)
  })

  it('rejects clients and members without a certificate of the authority', async () => {
    const { address } = lab.host('etcd1')
    const curl = (port: number, more: string) =>
      lab.exec('etcd2', `curl -sS --cacert /etc/etcd/tls/authority.crt ${more} https://${address}:${port}/version`)
    const pair = '--cert /etc/etcd/tls/member.crt --key /etc/etcd/tls/member.key'
    expect((await curl(2379, pair)).stdout).to.include('etcdserver')
    for (const port of [2379, 2380]) expect((await curl(port, '')).code).to.not.equal(0)
  })

  it('restarts one member at a time if their configuration changes', async () => {
    const before = await pids()
    await on(
      'etcd1',
      `cat > /run/watch.sh <<'END'
least=3
while [ ! -e /run/watch.stop ]; do
  now=$(ETCDCTL_COMMAND_TIMEOUT=2s provision-etcdctl endpoint health 2>&1 | grep -c 'is healthy')
  [ "$now" -ge "$least" ] || { least=$now; echo "$least" > /run/watch.least; }
done
END
rm -f /run/watch.stop; echo 3 > /run/watch.least; setsid sh /run/watch.sh >/dev/null 2>&1 </dev/null &`,
    )
    await converged(HOSTS, { HEARTBEAT: '150' })
    await on('etcd1', 'touch /run/watch.stop')
    const after = await pids()
    for (const [i, pid] of before.entries()) expect(after[i]).to.not.equal(pid)
    expect(Number(await on('etcd1', 'cat /run/watch.least'))).to.be.at.least(2)
  })

  it('renews a certificate without a restart', async () => {
    const before = await pids()
    const serial = () =>
      on(
        'etcd2',
        `openssl s_client -connect ${lab.host('etcd1').address}:2379 -cert /etc/etcd/tls/member.crt -key /etc/etcd/tls/member.key </dev/null 2>/dev/null | openssl x509 -noout -serial`,
      )
    const shown = await serial()
    await converged(HOSTS, { HEARTBEAT: '150', RENEW: 'etcd1' })
    expect(await serial()).to.not.equal(shown)
    expect(await pids()).to.deep.equal(before)
  })

  it('lets a member with lost data join again under a new identity', async () => {
    const id = await on('etcd2', 'cat /var/lib/etcd/joined')
    await on('etcd2', 'systemctl stop etcd; rm -rf /var/lib/etcd/default')
    await on('etcd2', 'systemctl start etcd; ! systemctl is-active -q etcd')
    await converged(HOSTS, { HEARTBEAT: '150' })
    expect(await on('etcd2', 'cat /var/lib/etcd/joined')).to.not.equal(id)
    expect(await voters('etcd2')).to.deep.equal(HOSTS)
    expect(await on('etcd2', 'provision-etcdctl get --print-value-only greeting')).to.equal('hello')
  })

  it('removes a dead member that is no longer in the inventory, and adds it again later', async () => {
    await lab.kill('etcd3')
    const verified = await verify()
    expect(verified.code, verified.text).to.not.equal(0)
    await converged(['etcd1', 'etcd2'], { HEARTBEAT: '150' })
    expect(await voters('etcd1')).to.deep.equal(['etcd1', 'etcd2'])
    await lab.start('etcd3')
    await converged(HOSTS, { HEARTBEAT: '150' })
    expect(await voters('etcd3')).to.deep.equal(HOSTS)
    expect(await on('etcd3', 'ls /var/lib/etcd')).to.include('default.removed-')
  })

  it('does not start a second cluster if the first has no majority', async () => {
    await on('etcd1', 'provision-etcdctl put greeting again')
    await Promise.all(['etcd1', 'etcd2'].map((host) => on(host, 'systemctl stop etcd; systemctl mask etcd')))
    await on('etcd3', 'systemctl stop etcd; rm -rf /var/lib/etcd/default /var/lib/etcd/joined')
    const { code, text } = await run(HOSTS, { HEARTBEAT: '150' })
    expect(code, text).to.not.equal(0)
    expect(text).to.include('The cluster has no majority, so no member can join.')
    await Promise.all(['etcd1', 'etcd2'].map((host) => on(host, 'systemctl unmask etcd')))
    await converged(HOSTS, { HEARTBEAT: '150' })
    expect(await on('etcd3', 'provision-etcdctl get --print-value-only greeting')).to.equal('again')
  })

  it('recovers by itself after all hosts were off', async () => {
    await Promise.all(HOSTS.map((host) => lab.kill(host)))
    for (const host of HOSTS) await lab.start(host)
    await eventually(async () => (await lab.exec('etcd1', 'provision-etcdctl endpoint health')).code === 0)
    const { code, text } = await run(HOSTS, { HEARTBEAT: '150' })
    expect(code, text).to.equal(0)
    expect(text).to.include('No changes')
  })
})

const STACK = `
import { hosts, inventorySchema, keyPair, text } from 'provision-ts'
export const site = inventorySchema({ authority: text, members: hosts({ certificate: keyPair }) })
`

const INVENTORY = `
import { rmSync } from 'node:fs'
import { inventory } from 'provision-ts'
import { authority } from 'provision-ts/pki'
import { openLab } from 'provision-ts/lab'
import { site } from './stack.ts'
export default async () => {
  const lab = openLab(process.env.LAB)
  const ca = await authority(lab.directory + '/pki', { name: 'test' })
  if (process.env.RENEW) rmSync(lab.directory + '/pki/' + process.env.RENEW + '.pem')
  const member = async (name) => {
    const { address, ssh } = lab.host(name)
    return [name, { address, ssh, certificate: await ca.keyPair({ names: [name], addresses: [address] }) }]
  }
  const members = await Promise.all(process.env.MEMBERS.split(',').map(member))
  return inventory(site, { authority: ca.certificate, members: { hosts: Object.fromEntries(members) } })
}
`

const PLAYBOOK = `
import { play, playbook } from 'provision-ts'
import { etcd } from '${ROOT}/roles/etcd/index.ts'
import { site } from './stack.ts'
export default playbook(site, ({ authority, members }) => [
  play('etcd', { hosts: members }, (host) =>
    etcd({ ...host, authority, members: members.hosts, heartbeat: Number(process.env.HEARTBEAT ?? 100) })),
])
`

const VERIFY = `
import { verification } from 'provision-ts'
import { etcdChecks } from '${ROOT}/roles/etcd/checks.ts'
import { site } from './stack.ts'
export default verification(site, ({ members }) => [etcdChecks(members)])
`
