import { expect } from 'chai'
import { type HaproxyParams, haproxy } from '../../roles/haproxy/index.ts'
import { certificateBundle } from '../../roles/haproxy/lib/certificate.ts'
import type { KeyPair } from '../../src/model/inventory/fields.ts'
import type { Problem } from '../../src/model/problem.ts'
import { type Issued, issueAuthority, issueLeaf } from '../../src/pki/issue.ts'
import { Secret } from '../../src/shell/secret.ts'
import { stepsOf, textAt, textsOf } from './expanded.ts'

const CONFIG = '/etc/haproxy/haproxy.cfg'
const PEM = '/etc/haproxy/certs/notes.test.pem'
const DROP_IN = '/etc/systemd/system/haproxy.service.d/provision.conf'
const ERRORS = '/etc/haproxy/errors/provision.html'
const YEAR = 366 * 86_400_000

describe('role haproxy', () => {
  let params: HaproxyParams
  let other: KeyPair

  before(async () => {
    const issuer = await issueAuthority('test')
    const pair = async (name: string) => asPair(await issueLeaf(issuer, { names: [name], addresses: [] }))
    other = await pair('other.test')
    params = {
      domain: 'notes.test',
      certificate: await pair('notes.test'),
      servers: [
        { name: 'web1', address: '198.18.0.21', port: 8080 },
        { name: 'web2', address: '198.18.0.22', port: 8080 },
      ],
      vip: '198.18.0.10/24',
    }
  })

  const config = (changed: Partial<HaproxyParams> = {}, version = '12') =>
    textAt(stepsOf(haproxy({ ...params, ...changed }), { os: { id: 'debian', version, codename: '' } }), CONFIG)

  it('listens only on the virtual IP, and on a local port for the host itself', () => {
    const binds = config().match(/^ *bind \S+/gm)
    expect(binds).to.deep.equal(['  bind 198.18.0.10:80', '  bind 198.18.0.10:443', '  bind 127.0.0.1:8405'])
  })

  it('listens on all addresses if the param is set', () => {
    expect(
      config({ everywhere: true })
        .match(/^ *bind \S+/gm)
        ?.slice(0, 2),
    ).to.deep.equal(['  bind *:80', '  bind *:443'])
    expect(config({ everywhere: true, vip: 'fd00::10/64' })).to.include('bind :::443 ssl')
  })

  it('waits for an answer as long as given, and for an hour in a stream', () => {
    expect(config()).to.include('  timeout server 30s\n').and.not.include('set-timeout')
    const text = config({ answerWithin: 65, streams: ['/live'] })
    expect(text).to.include('  timeout server 65s\n')
    expect(text).to.include('http-request set-timeout server 1h if { path_beg /live }\n')
  })

  it('shows metrics only to admins, on a separate address, without admin functions', () => {
    const text = config({ admin: { address: '198.18.0.11', from: ['10.0.0.0/8', '10.1.0.1/32'] } })
    expect(text)
      .to.include('frontend admin\n  bind 198.18.0.11:8404\n')
      .and.include('deny_status 403 unless { src 10.0.0.0/8 10.1.0.1/32 }')
      .and.not.match(/^ *stats admin/m)
    expect(config()).not.to.include('stats enable')
    expect(refusal({ admin: { address: '198.18.0.11', from: ['here'] } })).to.match(/"here" is not a network/)
  })

  it('answers ACME challenges itself, and only for the account', () => {
    const thumbprint = 'cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s'
    const text = config({ certificate: { ...params.certificate, thumbprint } })
    const [answer = -1, redirect = -1] = ['acme-challenge', 'http-request redirect'].map((one) => text.indexOf(one))
    expect(text).to.include(`lf-string %[path,field(4,/)].${thumbprint} if { path -m reg ^/`)
    expect(answer).to.be.greaterThan(0).and.lessThan(redirect)
    expect(config()).not.to.include('acme')
  })

  it('refuses requests for other host names', () => {
    expect(config()).to.match(/^ {2}http-request return status 421 .* unless \{ .* -m str notes\.test \}$/m)
  })

  it('limits connections and requests of one client, and has no limit for 0', () => {
    const rejects = (text: string) => text.match(/sc0_\w+ gt \d+/g)
    const limits = ['sc0_conn_cur gt 200', 'sc0_conn_cur gt 200', 'sc0_http_req_rate gt 10000']
    expect(rejects(config())).to.deep.equal(limits)
    expect(rejects(config({ clientLimits: { connections: 0, requests: 7 } }))).to.deep.equal([
      'sc0_http_req_rate gt 70',
    ])
    const none = config({ clientLimits: { connections: 0, requests: 0 } })
    expect(rejects(none)).to.equal(null)
    expect(none).to.not.include('track-sc0')
  })

  it('has a page for its own errors, which is part of the revision', () => {
    const steps = (errorPage?: string) => stepsOf(haproxy({ ...params, ...(errorPage && { errorPage }) }))
    expect(textAt(steps(), ERRORS)).to.include('<title>Service unavailable</title>')
    expect(textAt(steps('<p>Back at 9'), ERRORS)).to.equal('<p>Back at 9')
    expect(textAt(steps('<p>Back at 9'), CONFIG)).to.not.equal(textAt(steps(), CONFIG))
    expect(config()).to.include(`http-error status 503 content-type "text/html; charset=utf-8" file ${ERRORS}`)
  })

  it('forwards requests to the named servers', () => {
    expect(config()).to.include('  server web1 198.18.0.21:8080\n  server web2 198.18.0.22:8080\n')
  })

  it('replaces all headers about the client that the client sent', () => {
    const text = config()
    for (const header of ['X-Forwarded-For', 'X-Forwarded-Proto', 'X-Forwarded-Host', 'X-Request-Id'])
      expect(text).to.match(new RegExp(`^  http-request set-header ${header} `, 'm'))
    for (const header of ['Forwarded', 'X-Real-IP']) expect(text).to.include(`  http-request del-header ${header}\n`)
  })

  it('retries only idempotent requests', () => {
    expect(config()).to.include('http-request disable-l7-retry unless { method GET HEAD OPTIONS }')
  })

  it('offers the post-quantum key exchange if OpenSSL supports it', () => {
    expect(config({}, '12')).to.include('ssl-default-bind-curves X25519:prime256v1')
    expect(config({}, '13')).to.include('ssl-default-bind-curves X25519MLKEM768:X25519:prime256v1')
  })

  it('has a new revision for each new configuration or certificate, and the same one otherwise', async () => {
    const revision = (text: string) => /Revision (\w{16})\./.exec(text)?.[1]
    const issuer = await issueAuthority('test')
    const renewed = asPair(await issueLeaf(issuer, { names: ['notes.test'], addresses: [] }))
    expect(revision(config())).to.be.a('string').and.equal(revision(config()))
    expect(revision(config())).to.not.equal(revision(config({ maxConnections: 100 })))
    expect(revision(config())).to.not.equal(revision(config({ certificate: renewed })))
  })

  it('reserves descriptors and connections for itself beside those of clients', () => {
    const steps = stepsOf(haproxy({ ...params, maxConnections: 5000 }))
    expect(textAt(steps, CONFIG)).to.match(/^ {2}maxconn 6200$/m)
    expect(textAt(steps, DROP_IN)).to.include('LimitNOFILE=13000')
  })

  it('activates unit, certificate and configuration in one transaction', () => {
    const steps = stepsOf(haproxy(params))
    const parts = steps.find(({ kind }) => kind === 'transaction')?.diff([])?.parts ?? []
    expect(parts.map(({ name }) => name.split(' ')[1])).to.deep.equal([DROP_IN, PEM, ERRORS, CONFIG])
  })

  it('never shows the key', () => {
    const steps = stepsOf(haproxy(params))
    expect(textsOf(steps).has(PEM)).to.equal(true)
    expect(textsOf(steps).get(PEM)).to.equal(undefined)
    const part = steps
      .find(({ kind }) => kind === 'transaction')
      ?.diff([])
      ?.parts?.find(({ name }) => name.endsWith('.pem'))
    expect(part?.difference.fields).to.deep.include({ name: 'mode', to: '0600' })
  })

  it('passes the certificate, its chain and the key to haproxy in this order', () => {
    const bundle = certificateBundle({ ...params.certificate }, 'notes.test').reveal()
    expect(bundle.match(/-----BEGIN [A-Z ]+-----/g)).to.deep.equal([
      '-----BEGIN CERTIFICATE-----',
      '-----BEGIN PRIVATE KEY-----',
    ])
  })

  it('rejects an empty list of servers, and two servers with one name', () => {
    expect(refusal({ servers: [] })).to.match(/no server/)
    const [first] = params.servers
    expect(refusal({ servers: first ? [first, first] : [] })).to.match(/two servers with the name web1/)
  })

  it('rejects a certificate for another name, without its key, or that cannot be read', () => {
    expect(refusal({ certificate: other })).to.match(/is not valid for that name but for DNS:other\.test/)
    expect(refusal({ certificate: { ...params.certificate, key: other.key } })).to.match(/does not match its key/)
    expect(refusal({ certificate: { ...params.certificate, certificate: 'x' } })).to.match(/cannot be read/)
    expect(refusal({ certificate: { ...params.certificate, key: new Secret(() => 'not a key') } })).to.match(
      /key cannot be read/,
    )
  })

  it('rejects a certificate outside its validity period', () => {
    const at = (now: number) => () => certificateBundle(params.certificate, 'notes.test', now)
    expect(at(Date.now() + YEAR)).to.throw(/expired at/)
    expect(at(Date.now() - YEAR)).to.throw(/not valid before/)
  })

  function refusal(changed: Partial<HaproxyParams>): string {
    try {
      stepsOf(haproxy({ ...params, ...changed }))
    } catch (error) {
      return (error as Problem).message
    }
    throw new Error('nothing was refused')
  }
})

function asPair({ certificate, key }: Issued): KeyPair {
  return { certificate, key: new Secret(() => key) }
}
