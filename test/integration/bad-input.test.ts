import 'reflect-metadata'
import { webcrypto } from 'node:crypto'
import * as x509 from '@peculiar/x509'
import { expect } from 'chai'
import { DEBIAN, footprint, ownLab, provision, ROOT } from './support.ts'

const LAB = 'test-bad-input'

/** Invalid values in the inventory of a site. Each is rejected with the param and the host, before any host changes. */
describe('invalid input, with the playbook of the site and real hosts', function () {
  this.slow('10s')
  const own = ownLab(LAB, ['lb1', 'lb2', 'web1', 'app1', 'db1', 'db2'], () => ({
    'inventory.ts': INVENTORY,
    'playbook.ts': `export { default } from '${ROOT}/playbooks/site.ts'`,
    'misplaced.ts': MISPLACED,
  }))
  let untouched: Readonly<Record<string, string>>

  before(async () => {
    own.desk.write('expired.pem', await expired())
    // The first run creates the lock directory, which does not count as a change.
    await own.run(['--check'])
    untouched = await footprint(own.lab)
  })
  afterEach(async () => {
    expect(await footprint(own.lab), 'no host was touched').to.deep.equal(untouched)
  })

  /** @param change the wrong line of the inventory, and the line that it replaces */
  const refusal = async (...change: readonly (readonly [string, string])[]) => {
    const wrong = change.reduce((text, [from, to]) => {
      expect(text).to.include(from)
      return text.replace(from, to)
    }, INVENTORY)
    own.desk.write('inventory.ts', wrong)
    const { code, text } = await own.run([], { EXPIRED: `${own.desk.directory}/expired.pem` })
    expect(code, text).to.equal(64)
    return text.trim()
  }
  const address = (name: string) => own.lab.host(name).address

  /** Errors of the inventory itself: no host is queried. */
  const INVENTORIES: Readonly<Record<string, readonly [readonly [string, string], () => string]>> = {
    'the address that moves is that of a host': [
      ["vip: lab.vip + '/24'", "vip: lab.host('web1').address + '/24'"],
      () => `vip: ${address('web1')} is the address of web1; it should belong to no host`,
    ],
    'two balancers have the same priority': [
      ['priority: 240', 'priority: 250'],
      () => 'lb.hosts.lb2.priority: is 250, as that of lb1; both would hold the address',
    ],
    'replicas have no primary': [
      ['seed: true', 'seed: false'],
      () => 'db.hosts: no host has seed: true; replicas would have no primary',
    ],
    'there are two primaries': [
      ['seed: false', 'seed: true'],
      () => 'db.hosts: db1 and db2 have seed: true; they would be two primaries',
    ],
    'a host stands in a group that is not its own': [
      ["app1: at('app1')", "web1: at('web1')"],
      () => 'app.hosts.web1: is in web too; a host belongs to one tier',
    ],
    'a certificate does not belong to its key': [
      ["certificate: await pair('db2')", "certificate: { ...(await pair('db2')), key: (await pair('db1')).key }"],
      () => 'db.hosts.db2.certificate: does not belong to its key',
    ],
    'a certificate has expired': [
      ["certificate: await ca.keyPair({ names: ['notes.test'] })", 'certificate: pemFiles()'],
      () => 'certificate: has expired on 2026-01-02',
    ],
    'a limit of requests means nothing': [
      ['port: 8080', 'port: 8080, rate: 0'],
      () => 'web.hosts.web1.rate: should be a whole number ≥ 1, got 0',
    ],
    'a network of admins is none': [
      ['updates: false', "updates: false, admins: ['10.0.0.0']"],
      () => 'admins[0]: should be an address with its prefix length such as 10.0.1.100/24, got "10.0.0.0"',
    ],
  }
  for (const [when, [change, expected]] of Object.entries(INVENTORIES))
    it(`is rejected if ${when}`, async () => {
      expect(await refusal(change)).to.equal(
        `error: The inventory does not fit its stack.\n   ${expected()}\n   Nothing was done yet. Fix the inventory, then run the same command again.`,
      )
    })

  it('is rejected if a role is on the wrong group', async () => {
    own.desk.write('inventory.ts', INVENTORY)
    const { directory } = own.desk
    const { code, text } = await provision([
      ...['--inventory', `${directory}/inventory.ts`, '--no-type-check', `${directory}/misplaced.ts`],
    ])
    expect(code, text).to.equal(64)
    expect(text.trim()).to.equal(
      `error: keepalived cannot use a priority of undefined for ${address('web1')}.
   at play "web" for web1, role keepalived, priority
   Set an integer from 1 to 254. Is the host a balancer?`,
    )
  })

  it('is rejected if a host does not have the interface', async () => {
    expect(await refusal(['priority: 240', "priority: 240, interface: 'bond7'"])).to.equal(
      `error: The host has no interface bond7.
   at lb2, role keepalived, interface
   It has eth0, lo.`,
    )
  })

  it('is rejected if the Debian release does not have that version of PostgreSQL', async () => {
    const [carried, other] = DEBIAN === 13 ? [17, 15] : [15, 17]
    expect(await refusal(['seed: true', `seed: true, version: ${other}`])).to.equal(
      `error: Debian ${DEBIAN} does not have PostgreSQL ${other}.
   at db1, role postgres-packages, version
   Leave version out, or set ${carried}. Nothing was changed on any host.`,
    )
  })

  it('is rejected if it would block SSH from the controller', async () => {
    expect(await refusal(['updates: false', "updates: false, admins: ['10.9.9.0/24']"])).to.equal(
      `error: The firewall would lock out this machine, which connects from 198.18.0.1.
   at db1, ssh
   ssh would be open to 10.9.9.0/24
   Add 198.18.0.1, or a network that holds it. Nothing was changed on any host.`,
    )
  })

  it('is rejected if a host runs an unknown release of Debian', async () => {
    const release = (version: number) =>
      own.lab.exec('app1', `sed -i 's/^VERSION_ID=.*/VERSION_ID="${version}"/' /usr/lib/os-release`)
    await release(11)
    expect(await refusal().finally(() => release(DEBIAN))).to.equal(
      `error: app1 runs Debian 11.
   at app1, role base
   The role was tested on Debian 12 and Debian 13. Nothing was changed on any host.`,
    )
  })
})

/** An expired certificate and its key for the site. */
async function expired(): Promise<string> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=notes.test',
    keys,
    signingAlgorithm: algorithm,
    notBefore: new Date('2026-01-01'),
    notAfter: new Date('2026-01-02'),
    extensions: [new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: 'notes.test' }])],
  })
  const key = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)
  return `${certificate.toString('pem')}\n${x509.PemConverter.encode(key, 'PRIVATE KEY')}\n`
}

const INVENTORY = `
import { readFileSync } from 'node:fs'
import { inventory, secret } from 'provision-ts'
import { authority } from 'provision-ts/pki'
import { openLab } from 'provision-ts/lab'
import { notes } from '${ROOT}/inventory/notes.ts'
import { siteSchema as site } from 'provision-ts/stack'

export default async () => {
  const lab = openLab('${LAB}')
  const ca = await authority(lab.directory + '/pki', { name: 'Notes lab' })
  const at = (name) => ({ address: lab.host(name).address, ssh: lab.host(name).ssh })
  const pair = (name) => ca.keyPair({ names: [name], addresses: [lab.host(name).address] })
  return inventory(site, {
    domain: 'notes.test',
    application: notes,
    vip: lab.vip + '/24',
    updates: false,
    certificate: await ca.keyPair({ names: ['notes.test'] }),
    authority: ca.certificate,
    passwords: { app: secret.of(lab.secret('app')), replication: secret.of(lab.secret('replication')) },
    lb: { hosts: { lb1: { ...at('lb1'), priority: 250 }, lb2: { ...at('lb2'), priority: 240 } } },
    web: { port: 8080, hosts: { web1: at('web1') } },
    app: { port: 3000, hosts: { app1: at('app1') } },
    db: {
      hosts: {
        db1: { ...at('db1'), seed: true, certificate: await pair('db1') },
        db2: { ...at('db2'), seed: false, certificate: await pair('db2') },
      },
    },
  })
}

function pemFiles() {
  const text = readFileSync(process.env.EXPIRED, 'utf8')
  return { certificate: text, key: secret.of(text) }
}
`

/** A role with params that only balancers have. */
const MISPLACED = `
import { play, playbook } from 'provision-ts'
import { keepalived } from '${ROOT}/roles/keepalived/index.ts'
import { siteSchema as site } from 'provision-ts/stack'
export default playbook(site, ({ web, lb, vip }) => [
  play('web', { hosts: web }, (host) => keepalived({ ...host, vip, peers: lb.hosts })),
])
`
