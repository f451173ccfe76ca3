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

  it('is not read before its first use', () => {
    expect(secret.age(at('nothing.age'), { identity: at('nothing.txt') }).toString()).to.equal('***')
  })

  /** The message for the user. */
  const refusal = async (name: string, options: AgeOptions) =>
    (await wordsOf(() => secret.age(at(name), options).reveal())).replaceAll(directory, 'DIR')

  it('is refused for another recipient, with the name of the file and no key', async () => {
    const other = await generateIdentity()
    writeFileSync(at('other.txt'), other)
    const text = (
      whose: string,
    ) => `error: The secret file DIR/binary.age cannot be decrypted: no identity matched any of the file's recipients
   Check that it is encrypted for the identity in ${whose}: age-keygen -y shows its recipient.`
    expect(await refusal('binary.age', { identity: secret.of(other) })).to.equal(text('use'))
    expect(await refusal('binary.age', { identity: at('other.txt') })).to.equal(text('DIR/other.txt'))
    expect(
      await refusal('word.age', { passphrase: secret.of('close') }),
    ).to.equal(`error: The secret file DIR/word.age cannot be decrypted: no identity matched any of the file's recipients
   Check the passphrase.`)
  })

  it('is refused without an identity, with the format of one', async () => {
    const ssh = '-----BEGIN OPENSSH PRIVATE KEY-----\n'
    const text = (where: string) => `error: There is no age identity in ${where}
   The identity is a line AGE-SECRET-KEY-1…, as age-keygen writes it. SSH keys and plugins are not supported here: use secret.command("age", "--decrypt", …).`
    writeFileSync(at('ssh.txt'), ssh)
    expect(await refusal('binary.age', { identity: at('ssh.txt') })).to.equal(text('DIR/ssh.txt'))
    expect(await refusal('binary.age', { identity: secret.of(ssh) })).to.equal(text('the given secret'))
    expect(
      await refusal('binary.age', { identity: at('none.txt') }),
    ).to.equal(`error: The age identity for DIR/binary.age cannot be read: ENOENT: no such file or directory, open 'DIR/none.txt'
   Give the path of the identities, or set $PROVISION_AGE_IDENTITY to it.`)
  })

  it('is refused for a damaged identity, without showing the rest of the key', async () => {
    writeFileSync(at('cut.txt'), identity.slice(0, -5))
    expect(
      await refusal('binary.age', { identity: at('cut.txt') }),
    ).to.equal(`error: The secret file DIR/binary.age cannot be decrypted: Invalid checksum in ***
   Check that it is encrypted for the identity in DIR/cut.txt: age-keygen -y shows its recipient.`)
  })

  it('is refused if the file is not encrypted, without showing its content', async () => {
    const identity = at('keys.txt')
    writeFileSync(at('plain.age'), 'correct horse\n')
    expect(
      await refusal('plain.age', { identity }),
    ).to.equal(`error: The secret file DIR/plain.age is not encrypted with age
   Encrypt it: age --encrypt --recipient age1… --output FILE`)
  })

  it('is refused if the file does not exist', async () => {
    const identity = at('keys.txt')
    expect(
      await refusal('nothing.age', { identity }),
    ).to.equal(`error: The secret file DIR/nothing.age cannot be read: ENOENT: no such file or directory, open 'DIR/nothing.age'
   Give its path, relative to where the command is run.`)
  })
})
