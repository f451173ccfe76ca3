import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { armor, Encrypter, generateIdentity, identityToRecipient } from 'age-encryption'
import { expect } from 'chai'
import { secret } from '../../src/secrets/sources.ts'

describe('a secret in an age file', () => {
  const directory = mkdtempSync(join(tmpdir(), 'provision-age-'))
  const at = (name: string) => join(directory, name)
  let identity: string

  before(async () => {
    identity = await generateIdentity()
    const encrypter = new Encrypter()
    encrypter.addRecipient(await identityToRecipient(identity))
    const sealed = await encrypter.encrypt('pa55 wörd\n')
    writeFileSync(at('binary.age'), sealed)
    writeFileSync(at('armored.age'), armor.encode(sealed))
    writeFileSync(at('keys.txt'), `# created: today\n# public key: age1…\n${identity}\n`)
    const byWord = new Encrypter()
    byWord.setScryptWorkFactor(4)
    byWord.setPassphrase('open sesame')
    writeFileSync(at('word.age'), await byWord.encrypt('treasure'))
  })
  after(() => rmSync(directory, { recursive: true }))

  it('is decrypted with an identity file, binary or armored, without the line break at its end', () => {
    const given = { identity: at('keys.txt') }
    expect(secret.age(at('binary.age'), given).reveal()).to.equal('pa55 wörd')
    expect(secret.age(at('armored.age'), given).reveal()).to.equal('pa55 wörd')
  })

  it('takes the identity from a secret, from the environment, and a passphrase', () => {
    expect(secret.age(at('binary.age'), { identity: secret.of(identity) }).reveal()).to.equal('pa55 wörd')
    process.env['PROVISION_AGE_IDENTITY'] = at('keys.txt')
    try {
      expect(secret.age(at('binary.age')).reveal()).to.equal('pa55 wörd')
    } finally {
      delete process.env['PROVISION_AGE_IDENTITY']
    }
    expect(secret.age(at('word.age'), { passphrase: secret.of('open sesame') }).reveal()).to.equal('treasure')
  })

  it('is not touched until it is used', () => {
    expect(secret.age(at('nothing.age'), { identity: at('nothing.txt') }).toString()).to.equal('***')
  })

  it('that is for somebody else is a problem that names the file, and shows no key', async () => {
    const other = secret.of(await generateIdentity())
    const sealed = secret.age(at('binary.age'), { identity: other })
    expect(() => sealed.reveal())
      .to.throw(/binary\.age cannot be decrypted: .*identity/)
      .with.property('message')
      .that.does.not.include('AGE-SECRET')
  })

  it('without an identity is a problem that says what one looks like', () => {
    writeFileSync(at('ssh.txt'), '-----BEGIN OPENSSH PRIVATE KEY-----\n')
    expect(() => secret.age(at('binary.age'), { identity: at('ssh.txt') }).reveal()).to.throw(
      /no age identity in .*ssh\.txt/,
    )
    expect(() => secret.age(at('binary.age'), { identity: at('none.txt') }).reveal()).to.throw(/none\.txt/)
  })

  it('that is no age file is a problem', () => {
    writeFileSync(at('plain.age'), readFileSync(at('keys.txt')))
    expect(() => secret.age(at('plain.age'), { identity: at('keys.txt') }).reveal()).to.throw(
      /plain\.age cannot be decrypted/,
    )
  })
})
