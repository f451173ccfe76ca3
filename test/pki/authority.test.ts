import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { expect } from 'chai'
import { type Authority, authority, renewCertificates } from '../../src/pki/authority.ts'
import { temporary } from '../support/rig.ts'

describe('an authority', () => {
  const root = temporary()
  const directory = `${root}/deep/pki`
  let ca: Authority

  before(async () => {
    ca = await authority(directory, { name: 'Test' })
  })
  after(() => rmSync(root, { recursive: true }))

  const modes = () =>
    Object.fromEntries(
      readdirSync(directory).map((name) => [name, (statSync(`${directory}/${name}`).mode & 0o777).toString(8)]),
    )

  it('is created once and reused', async () => {
    const again = await authority(directory, { name: 'Other' })
    expect(again.certificate).to.equal(ca.certificate)
    expect(readFileSync(ca.file, 'utf8')).to.equal(ca.certificate)
    const own = new X509Certificate(ca.certificate)
    expect(own.subject).to.equal('CN=Test authority')
    expect([own.ca, own.verify(own.publicKey)]).to.deep.equal([true, true])
    expect(Date.parse(own.validTo) - Date.now()).to.be.greaterThan(9 * 365 * 86_400_000)
  })

  it('issues certificates that it has signed, for servers and clients, valid for less than 398 days', async () => {
    const { certificate, key } = await ca.keyPair({
      names: ['db1', 'db1.test', '*.db.test'],
      addresses: ['10.0.1.1', 'fd00::1'],
    })
    const [above, leaf] = [new X509Certificate(ca.certificate), new X509Certificate(certificate)]
    expect([leaf.checkIssued(above), leaf.verify(above.publicKey), leaf.ca]).to.deep.equal([true, true, false])
    expect(leaf.checkPrivateKey(createPrivateKey(key.reveal()))).to.equal(true)
    expect([leaf.checkHost('db1.test'), leaf.checkHost('a.db.test'), leaf.checkHost('web1')]).to.deep.equal([
      'db1.test',
      '*.db.test',
      undefined,
    ])
    expect([leaf.checkIP('10.0.1.1'), leaf.checkIP('fd00::1'), leaf.checkIP('10.0.1.2')]).to.deep.equal([
      '10.0.1.1',
      'fd00::1',
      undefined,
    ])
    expect(leaf.keyUsage).to.deep.equal(['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2'])
    expect(Date.parse(leaf.validTo) - Date.parse(leaf.validFrom)).to.be.lessThan(398 * 86_400_000)
    expect(Date.parse(leaf.validFrom)).to.be.lessThan(Date.now())
  })

  it('returns the same certificate for the same names and addresses, in any order and spelling', async () => {
    const first = await ca.keyPair({ names: ['web1', 'web1.test'], addresses: ['10.0.1.9', 'fd00::9'] })
    const again = await ca.keyPair({ names: ['web1', 'web1.test'], addresses: ['fd00:0:0:0::9', '10.0.1.9'] })
    expect(again.certificate).to.equal(first.certificate)
    expect(again.key.reveal()).to.equal(first.key.reveal())
  })

  it('issues another if names or addresses change', async () => {
    const first = await ca.keyPair({ names: ['app1'], addresses: ['10.0.1.1'] })
    const moved = await ca.keyPair({ names: ['app1'], addresses: ['10.0.1.2'] })
    const named = await ca.keyPair({ names: ['app1', 'app1.test'], addresses: ['10.0.1.2'] })
    const fewer = await ca.keyPair({ names: ['app1'] })
    expect(new Set([first, moved, named, fewer].map(({ certificate }) => certificate)).size).to.equal(4)
    expect(new X509Certificate(fewer.certificate).subjectAltName).to.equal('DNS:app1')
  })

  it('issues another if the existing one is from another authority', async () => {
    const other = await authority(`${root}/other`)
    const foreign = await other.keyPair({ names: ['lb1'] })
    writeFileSync(`${directory}/lb1.pem`, foreign.certificate)
    const own = await ca.keyPair({ names: ['lb1'] })
    expect(new X509Certificate(own.certificate).verify(new X509Certificate(ca.certificate).publicKey)).to.equal(true)
  })

  it('keeps its keys in files of its directory, whatever the subject is', async () => {
    await ca.keyPair({ names: ['../../*.evil'] })
    const all = modes()
    expect(all).to.include({ 'authority.key': '600', 'authority.pem': '644', '.._..__.evil.key': '600' })
    expect(Object.entries(all).filter(([name, mode]) => name.endsWith('.key') && mode !== '600')).to.deep.equal([])
    expect((statSync(directory).mode & 0o777).toString(8)).to.equal('700')
    expect(readdirSync(root).sort()).to.deep.equal(['deep', 'other'])
  })

  it('renews all certificates on request, each once, and never its own', async () => {
    const before = await ca.keyPair({ names: ['renewed'] })
    before.key.reveal()
    const end = renewCertificates({ all: true })
    const again = await authority(directory)
    const [first, second] = [await again.keyPair({ names: ['renewed'] }), await again.keyPair({ names: ['renewed'] })]
    end()
    expect(first.certificate).not.to.equal(before.certificate)
    expect(second.certificate).to.equal(first.certificate)
    expect(second.key.reveal()).to.equal(first.key.reveal()).and.not.equal(before.key.reveal())
    expect(again.certificate).to.equal(ca.certificate)
    expect((await ca.keyPair({ names: ['renewed'] })).certificate).to.equal(first.certificate)
  })

  it('keeps its own files if a host has their name', async () => {
    await ca.keyPair({ names: ['authority'] })
    expect(readFileSync(ca.file, 'utf8')).to.equal(ca.certificate)
    const again = await authority(directory)
    expect(new X509Certificate(again.certificate).ca).to.equal(true)
  })
})
