import { createHash, X509Certificate } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import https from 'node:https'
import type { AddressInfo } from 'node:net'
import { expect } from 'chai'
import { type AcmeOptions, acme } from '../../src/pki/acme.ts'
import { type Authority, authority, renewCertificates } from '../../src/pki/authority.ts'
import { temporary } from '../support/rig.ts'
import { wordsOf } from '../support/words.ts'

/** A real order is in test/operations/acme.test.ts. */
describe('a certificate from an ACME server', () => {
  const root = temporary()
  let own: Authority
  let server: https.Server
  let asked = 0
  let options: AcmeOptions
  let end = () => {}

  before(async () => {
    own = await authority(`${root}/own`)
    const { certificate, key } = await own.keyPair({ names: ['localhost'], addresses: ['127.0.0.1'] })
    server = https.createServer({ cert: certificate, key: key.reveal() }, (_request, response) => {
      asked++
      response.writeHead(403, { 'content-type': 'application/problem+json' })
      response.end('{"type":"urn:ietf:params:acme:error:unauthorized","detail":"not today"}')
    })
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    const { port } = server.address() as AddressInfo
    options = {
      names: ['notes.test'],
      contact: 'ops@notes.test',
      termsAgreed: true,
      server: `https://127.0.0.1:${port}/dir`,
      serverAuthority: own.certificate,
    }
  })
  after(() => {
    server.close()
    rmSync(root, { recursive: true })
  })
  beforeEach(() => {
    asked = 0
  })
  afterEach(() => end())

  /** A directory that holds a certificate. */
  const keptIn = async (name: string, ...names: readonly [string, ...string[]]) => {
    const directory = `${root}/${name}`
    mkdirSync(directory)
    const { certificate, key } = await own.keyPair({ names })
    writeFileSync(`${directory}/notes.test.pem`, certificate)
    writeFileSync(`${directory}/notes.test.key`, key.reveal())
    return { directory, certificate }
  }

  it('is an untrusted temporary one before the first order, and stays the same', async () => {
    const directory = `${root}/first/acme`
    const [pair, again] = [await acme(directory, options), await acme(directory, options)]
    expect(new X509Certificate(pair.certificate).checkHost('notes.test')).to.equal('notes.test')
    expect(again).to.deep.include({ certificate: pair.certificate, thumbprint: pair.thumbprint })
    expect((statSync(`${directory}/account.key`).mode & 0o777).toString(8)).to.equal('600')
    expect((statSync(directory).mode & 0o777).toString(8)).to.equal('700')
    expect(asked).to.equal(0)
  })

  it('has the thumbprint of the account, as RFC 7638 defines it', async () => {
    const { directory } = await keptIn('account', 'notes.test')
    writeFileSync(`${directory}/account.key`, ACCOUNT)
    const { thumbprint } = await acme(directory, options)
    expect(thumbprint).to.equal(createHash('sha256').update(ACCOUNT_JWK).digest('base64url'))
  })

  it('is not replaced outside a renewal', async () => {
    const { directory, certificate } = await keptIn('taken', 'other.test')
    expect((await acme(directory, options)).certificate).to.equal(certificate)
    expect(asked).to.equal(0)
  })

  it('is not replaced by a renewal while its names match and it has time left', async () => {
    const { directory, certificate } = await keptIn('lasting', 'notes.test')
    end = renewCertificates()
    expect((await acme(directory, options)).certificate).to.equal(certificate)
    expect(asked).to.equal(0)
  })

  it('is ordered if a third of its lifetime is left, if it lacks a name, and if all are renewed; a failure keeps the old one', async () => {
    const { directory } = await keptIn('due', 'notes.test')
    const two: AcmeOptions = { ...options, names: ['notes.test', 'www.notes.test'] }
    const now = Date.now
    for (const [how, of, days] of [
      [{ all: true }, options, 0],
      [{}, two, 0],
      [{}, options, 244],
    ] as const) {
      const before = readFileSync(`${directory}/notes.test.pem`, 'utf8')
      end = renewCertificates(how)
      asked = 0
      Date.now = () => now() + days * 86_400_000
      const refused = await acme(directory, of).then(
        () => undefined,
        (error: unknown) => error,
      )
      Date.now = now
      expect(String(refused)).to.match(/^Problem: 127\.0\.0\.1:\d+ issued no certificate for notes\.test/)
      expect(asked).to.be.greaterThan(0)
      expect(readFileSync(`${directory}/notes.test.pem`, 'utf8')).to.equal(before)
    }
  })

  it('is not ordered from a server that cannot be reached or is not trusted, with the reason', async () => {
    end = renewCertificates()
    for (const [changed, why] of [
      [{ server: 'https://127.0.0.1:9/dir' }, 'ECONNREFUSED'],
      [{ serverAuthority: (await authority(`${root}/stranger`)).certificate }, 'certificate'],
    ] as const) {
      const refused = await acme(`${root}/unreachable`, { ...options, ...changed }).then(
        () => undefined,
        (error: unknown) => error,
      )
      expect(refused).to.have.property('next').that.includes('Check that this machine reaches the server')
      expect(refused)
        .to.have.property('details')
        .that.satisfies(([line = '']: string[]) => line.includes(why))
    }
    expect(asked).to.equal(0)
  })

  it('is replaced by a temporary one in a dry run: nothing is ordered or written', async () => {
    const { directory, certificate } = await keptIn('looked-at', 'notes.test')
    const { thumbprint } = await acme(directory, options)
    const before = readdirSync(directory)
    end = renewCertificates({ all: true, check: true })
    const pair = await acme(directory, options)
    expect(pair.certificate).to.not.equal(certificate)
    expect(pair.thumbprint).to.equal(thumbprint)
    expect(new X509Certificate(pair.certificate).checkHost('notes.test')).to.equal('notes.test')
    expect([readdirSync(directory), asked]).to.deep.equal([before, 0])
  })

  it('is refused for a name that HTTP cannot validate', async () => {
    const wild = { ...options, names: ['*.notes.test'] as const }
    expect(
      await wordsOf(() => acme(`${root}/wild`, wild)),
    ).to.equal(`error: An ACME server cannot validate "*.notes.test" by HTTP
   at acme, names
   Write each DNS name in full; one with * needs a certificate from elsewhere: pemPair(…).`)
    expect(existsSync(`${root}/wild`)).to.equal(false)
  })
})

const ACCOUNT = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgEa2VFu5vs0cx/BBw
3PhiQz0eZmHOElW8G/9WGLjG5nuhRANCAATVnS2q/LWyHmlOUjomG6YfI/BfsKhu
XT8vCa6zhNcp/J+LMuExN+kr3a1aJC/8N2n53yO19Nj2cD2V4hu29y5g
-----END PRIVATE KEY-----
`

const ACCOUNT_JWK =
  '{"crv":"P-256","kty":"EC","x":"1Z0tqvy1sh5pTlI6JhumHyPwX7Cobl0_Lwmus4TXKfw","y":"n4sy4TE36SvdrVokL_w3afnfI7X02PZwPZXiG7b3LmA"}'
