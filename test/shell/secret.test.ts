import { inspect } from 'node:util'
import { expect } from 'chai'
import { Secret } from '../../src/shell/secret.ts'

describe('a secret', () => {
  it('prints as stars in each format', () => {
    const secret = new Secret(() => 'hunter2')
    expect([String(secret.toString()), JSON.stringify({ secret }), inspect({ secret })].join()).not.to.include(
      'hunter2',
    )
    expect(JSON.stringify({ secret })).to.equal('{"secret":"***"}')
  })

  it('cannot be used in a template string', () => {
    expect(() => `${new Secret(() => 'x')}`).to.throw(TypeError, /secret text/)
  })

  it('is requested once, at its first use', () => {
    let asked = 0
    const secret = new Secret(() => `value ${++asked}`)
    expect(asked).to.equal(0)
    expect([secret.reveal(), secret.reveal()]).to.deep.equal(['value 1', 'value 1'])
  })

  it('can be mapped to another secret', () => {
    const file = new Secret(() => 'pa55word').map((password) => `user:${password}\n`)
    expect(file.reveal()).to.equal('user:pa55word\n')
    expect(Secret.redact('a user:pa55word\n b pa55word')).to.equal('a *** b ***')
  })

  it('is redacted from texts after its first use, in each of its encodings', () => {
    const key = `-----BEGIN KEY-----\n${'Q'.repeat(40)}\n${'R'.repeat(40)}\n`
    const secrets = [`it's "so" secret`, key].map((value) => new Secret(() => value))
    for (const secret of secrets) secret.reveal()
    const leaks = [`echo 'it'\\''s "so" secret'`, JSON.stringify({ a: `it's "so" secret` }), `+ ${'R'.repeat(40)}`]
    expect(leaks.map((leak) => Secret.redact(leak))).to.deep.equal(["echo '***'", '{"a":"***"}', '+ ***'])
  })

  it('that is empty redacts nothing', () => {
    new Secret(() => '').reveal()
    expect(Secret.redact('abc')).to.equal('abc')
  })
})
