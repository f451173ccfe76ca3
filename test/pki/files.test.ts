import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { Problem } from '../../src/model/problem.ts'
import { pemFile, pemPair } from '../../src/pki/files.ts'

describe('a certificate from elsewhere', () => {
  const directory = mkdtempSync(join(tmpdir(), 'provision-pem-'))
  after(() => rmSync(directory, { recursive: true }))

  it('is read with its key, which is a secret', () => {
    writeFileSync(join(directory, 'site.pem'), '-----BEGIN CERTIFICATE-----\n')
    writeFileSync(join(directory, 'site.key'), '-----BEGIN PRIVATE KEY-----\n')
    const { certificate, key } = pemPair(join(directory, 'site'))
    expect(certificate).to.equal('-----BEGIN CERTIFICATE-----\n')
    expect(key.toString()).to.equal('***')
    expect(key.reveal()).to.equal('-----BEGIN PRIVATE KEY-----\n')
  })

  it('is reported by its path if the file is missing', () => {
    expect(() => pemFile(join(directory, 'none.pem'))).to.throw(Problem, /none\.pem cannot be read/)
  })

  it('is refused if the file holds something else', () => {
    writeFileSync(join(directory, 'other.pem'), 'hello')
    expect(() => pemFile(join(directory, 'other.pem'))).to.throw(Problem, /holds no PEM/)
  })
})
