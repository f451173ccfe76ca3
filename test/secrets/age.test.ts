import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { armor, Encrypter, generateIdentity, identityToRecipient } from 'age-encryption'
import { expect } from 'chai'
import type { AgeOptions } from '../../src/secrets/age.ts'
import { secret } from '../../src/secrets/sources.ts'
import { wordsOf } from '../support/words.ts'

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

  /** What a person reads who needs it. */
  const refusal = async (name: string, options: AgeOptions) =>
    (await wordsOf(() => secret.age(at(name), options).reveal())).replaceAll(directory, 'DIR')

  it('that is for somebody else is a problem that names the file, and shows no key', async () => {
    const other = await generateIdentity()
    writeFileSync(at('other.txt'), other)
    const text = (
      whose: string,
    ) => `error: The secret file DIR/binary.age cannot be decrypted: no identity matched any of the file's recipients
   Is it encrypted for the identity in ${whose}? age-keygen -y shows its recipient.`
    expect(await refusal('binary.age', { identity: secret.of(other) })).to.equal(text('use'))
    expect(await refusal('binary.age', { identity: at('other.txt') })).to.equal(text('DIR/other.txt'))
    expect(
      await refusal('word.age', { passphrase: secret.of('close') }),
    ).to.equal(`error: The secret file DIR/word.age cannot be decrypted: no identity matched any of the file's recipients
   Is it the passphrase of this file?`)
  })

  it('without an identity is a problem that says what one looks like', async () => {
    const ssh = '-----BEGIN OPENSSH PRIVATE KEY-----\n'
    const text = (where: string) => `error: There is no age identity in ${where}
   It should hold a line AGE-SECRET-KEY-1…, as age-keygen writes it. Keys of ssh and plugins are not read here: use secret.command("age", "--decrypt", …).`
    writeFileSync(at('ssh.txt'), ssh)
    expect(await refusal('binary.age', { identity: at('ssh.txt') })).to.equal(text('DIR/ssh.txt'))
    expect(await refusal('binary.age', { identity: secret.of(ssh) })).to.equal(
      text('the secret that was given'),
    )
    expect(
      await refusal('binary.age', { identity: at('none.txt') }),
    ).to.equal(`error: The age identity for DIR/binary.age cannot be read: ENOENT: no such file or directory, open 'DIR/none.txt'
   Give the path of the identities, or set $PROVISION_AGE_IDENTITY to it.`)
  })

  it('whose identity is damaged is a problem that does not show what is left of the key', async () => {
    writeFileSync(at('cut.txt'), identity.slice(0, -5))
    expect(
      await refusal('binary.age', { identity: at('cut.txt') }),
    ).to.equal(`error: The secret file DIR/binary.age cannot be decrypted: Invalid checksum in ***
   Is it encrypted for the identity in DIR/cut.txt? age-keygen -y shows its recipient.`)
  })

  it('that nobody has encrypted is a problem that does not show what it says', async () => {
    const identity = at('keys.txt')
    writeFileSync(at('plain.age'), 'correct horse\n')
    expect(
      await refusal('plain.age', { identity }),
    ).to.equal(`error: The secret file DIR/plain.age is not encrypted with age
   Encrypt it: age --encrypt --recipient age1… --output FILE`)
  })

  it('that is not there is a problem', async () => {
    const identity = at('keys.txt')
    expect(
      await refusal('nothing.age', { identity }),
    ).to.equal(`error: The secret file DIR/nothing.age cannot be read: ENOENT: no such file or directory, open 'DIR/nothing.age'
   Give its path, from where the command is given.`)
  })
})
