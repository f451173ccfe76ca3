import { expect } from 'chai'
import { encodings, masked } from '../../src/shell/redaction.ts'

const VALUE = `pa55 wörd/+'"\\&`

const hide = (text: string, value = VALUE) => masked(text, encodings(value))

describe('what must not be seen', () => {
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
    it(`is not seen ${way}`, () => {
      expect(hide(`a ${text} z`)).to.match(/^a .{0,4}\*\*\*'?"? z$/)
    })
  }

  it('is not seen in base64 of a longer text, wherever in it it stands', () => {
    const password = 'correct horse battery'
    for (const user of ['a', 'ab', 'abc', 'abcd']) {
      const header = Buffer.from(`${user}:${password}:end`).toString('base64')
      const seen = hide(header, password).split('***')
      expect(seen, user).to.have.lengthOf(2)
      // What is left beside the mask tells two characters of it at most.
      expect(Buffer.from(seen[1] ?? '', 'base64').toString()).not.to.include(password.slice(-3))
    }
  })

  it('is one mask where two overlap, with no end of either left', () => {
    expect(masked('x abcdef y', ['abcd', 'cdef'])).to.equal('x *** y')
    expect(masked('abab', ['ab'])).to.equal('******')
  })

  it('leaves other text as it is', () => {
    expect(hide('nothing to see')).to.equal('nothing to see')
  })
})
