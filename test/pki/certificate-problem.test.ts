import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import type { KeyPair } from '../../src/model/inventory/fields.ts'
import { type Authority, authority } from '../../src/pki/authority.ts'
import { certificateProblem } from '../../src/pki/certificate-problem.ts'
import { Secret } from '../../src/shell/secret.ts'

const DAY = 86_400_000

describe('a certificate and its key', () => {
  const directory = mkdtempSync(join(tmpdir(), 'provision-pair-'))
  let own: Authority
  let other: Authority
  let pair: KeyPair
  before(async () => {
    own = await authority(join(directory, 'own'))
    other = await authority(join(directory, 'other'))
    pair = await own.keyPair({ names: ['db1'], addresses: ['10.0.0.1'] })
  })
  after(() => rmSync(directory, { recursive: true }))
  const bearer = () => ({ names: ['db1'], addresses: ['10.0.0.1'], authority: own.certificate })

  it('are valid for their subject and authority until they expire', () => {
    expect(certificateProblem(pair, bearer())).to.equal(undefined)
    expect(certificateProblem(pair, {})).to.equal(undefined)
    expect(certificateProblem(pair, bearer(), Date.now() + 364 * DAY)).to.equal(undefined)
  })

  it('are refused outside their validity period', () => {
    expect(certificateProblem(pair, bearer(), Date.now() + 366 * DAY)).to.match(/^has expired on \d{4}-\d\d-\d\d$/)
    expect(certificateProblem(pair, bearer(), Date.now() - 2 * DAY)).to.match(/^is not valid before /)
  })

  it('are refused for another name or address', () => {
    expect(certificateProblem(pair, { ...bearer(), names: ['db2'] })).to.equal(
      'is not for db2, but for DNS:db1, IP Address:10.0.0.1',
    )
    expect(certificateProblem(pair, { ...bearer(), addresses: ['10.0.0.2'] })).to.match(/^is not for 10.0.0.2/)
  })

  it('are refused if they do not match', async () => {
    const { key } = await own.keyPair({ names: ['db2'] })
    expect(certificateProblem({ ...pair, key }, bearer())).to.equal('does not belong to its key')
  })

  it('are refused from another authority, and accepted through an intermediate one', async () => {
    expect(certificateProblem(pair, { ...bearer(), authority: other.certificate })).to.equal(
      'was not signed by the authority',
    )
    const chain = { ...pair, certificate: pair.certificate + own.certificate }
    expect(certificateProblem(chain, bearer())).to.equal(undefined)
    expect(certificateProblem(chain, { ...bearer(), authority: other.certificate })).to.equal(
      'was not signed by the authority',
    )
  })

  it('are refused if they are not PEM', () => {
    expect(certificateProblem({ ...pair, certificate: '-----BEGIN CERTIFICATE-----' }, {})).to.equal(
      'is no certificate in PEM',
    )
    expect(certificateProblem({ ...pair, key: new Secret(() => 'no key') }, bearer())).to.match(
      /^has a key that is none/,
    )
  })
})
