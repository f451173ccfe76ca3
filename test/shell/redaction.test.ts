import { expect } from 'chai'
import { encodings, masked } from '../../src/shell/secret.ts'

const VALUE = `pa55 wörd/+'"\\&`

const hide = (text: string, value = VALUE) => masked(text, encodings(value))

describe('redaction', () => {
  const ways: Readonly<Record<string, string>> = {
    'as it is': VALUE,
    "in the shell's quotes": `'${VALUE.replaceAll("'", "'\\''")}'`,
    'in quotes of SQL': `'${VALUE.replaceAll("'", "''")}'`,
    'in JSON': JSON.stringify(VALUE),
    'in a URL': encodeURIComponent(VALUE),
    'in a URL, with small letters': encodeURIComponent(VALUE).replace(/%../g, (code) => code.toLowerCase()),
    'in a form': new URLSearchParams({ a: VALUE }).toString(),
    'in base64': Buffer.from(VALUE).toString('base64'),
    'in base64 for URLs': Buffer.from(VALUE).toString('base64url'),
  }
  for (const [way, text] of Object.entries(ways)) {
    it(`masks a secret ${way}`, () => {
      expect(hide(`a ${text} z`)).to.match(/^a .{0,4}\*\*\*'?"? z$/)
    })
  }

  it('masks a secret in the base64 of a longer text, at any position', () => {
    const password = 'correct horse battery'
    for (const user of ['a', 'ab', 'abc', 'abcd']) {
      const header = Buffer.from(`${user}:${password}:end`).toString('base64')
      const seen = hide(header, password).split('***')
      expect(seen, user).to.have.lengthOf(2)
      // The text beside the mask reveals at most two characters.
      expect(Buffer.from(seen[1] ?? '', 'base64').toString()).not.to.include(password.slice(-3))
    }
  })

  it('masks overlapping secrets as one', () => {
    expect(masked('x abcdef y', ['abcd', 'cdef'])).to.equal('x *** y')
    expect(masked('abab', ['ab'])).to.equal('******')
  })

  it('leaves other text unchanged', () => {
    expect(hide('nothing to see')).to.equal('nothing to see')
  })
})
