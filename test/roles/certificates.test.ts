import { expect } from 'chai'
import { authority } from 'provision-ts/pki'
import { certificatesValid, expiringCertificates } from '../../roles/base/lib/certificate-expiry.ts'
import { temporary } from '../support/rig.ts'

const DAY = 24 * 3_600_000

describe('the certificates of a host', () => {
  const said = async () => {
    const ca = await authority(temporary(), { name: 'Test' })
    const { certificate } = await ca.keyPair({ names: ['db1'] })
    return `begin\nfile /etc/postgresql/tls/server.crt\n${certificate}`
  }

  it('are named with their days when they end soon', async () => {
    const text = await said()
    const { X509Certificate } = await import('node:crypto')
    const end = Date.parse(new X509Certificate(text.slice(text.indexOf('-----'))).validTo)
    expect(expiringCertificates(text, end - 200 * DAY)).to.equal(undefined)
    expect(expiringCertificates(text, end - 29.5 * DAY)).to.match(
      /^\S.* in \/etc\/postgresql\/tls\/server.crt is valid for 29 more days/,
    )
    expect(expiringCertificates(text, end - 1.5 * DAY)).to.include('is valid for 1 more day')
    expect(expiringCertificates(text, end + DAY)).to.include('is no longer valid')
  })

  it('are unknown when the output was cut off, and a fault when they cannot be read', () => {
    expect(expiringCertificates('MIIB', 0)).to.have.property('message', 'not all certificates could be read')
    expect(
      expiringCertificates('begin\nfile /etc/a.crt\n-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n', 0),
    ).to.equal('a certificate in /etc/a.crt cannot be read')
    expect(expiringCertificates('begin\n', 0)).to.equal(undefined)
  })

  it('are one check of a host', () => {
    const host = { name: 'db1', group: 'db', address: '10.0.0.1' }
    expect(certificatesValid(host)).to.include({ about: 'db1', label: 'no certificate expires soon' })
  })
})
