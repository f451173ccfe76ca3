import { expect } from 'chai'
import { debianMirror, parseDeb822, parseOneLine } from '../../src/lab/apt/sources.ts'

describe('the mirror of Debian among apt sources', () => {
  it('is read from stanzas with comments', () => {
    const sources = parseDeb822(`Types: deb
# http://snapshot.example/archive/debian/20250520T000000Z
URIs: http://mirror.example/debian/
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb deb-src
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main contrib
`)
    expect(debianMirror(sources)).to.deep.equal({
      archive: 'http://mirror.example/debian',
      security: 'http://mirror.example/debian-security',
    })
  })

  it('is read from lines with and without options', () => {
    const sources = parseOneLine(`
# deb http://old.example/debian bookworm main
deb [arch=amd64 signed-by=/usr/share/keyrings/k.gpg] https://mirror.example/debian trixie main non-free-firmware
deb-src https://mirror.example/debian trixie main
deb https://mirror.example/debian-security trixie-security main # a note
`)
    expect(debianMirror(sources)).to.deep.equal({
      archive: 'https://mirror.example/debian',
      security: 'https://mirror.example/debian-security',
    })
  })

  it('is not that of a vendor, nor a disabled one', () => {
    const vendors = parseOneLine(
      'deb https://packages.example/apt sdk-bookworm main\ndeb https://node.example nodistro main',
    )
    const off = parseDeb822(
      'Enabled: no\nTypes: deb\nURIs: http://off.example/debian\nSuites: bookworm\nComponents: main\n',
    )
    expect(debianMirror([...vendors, ...off])).to.equal(undefined)
  })

  it('is found by an alias of the release, also without a security archive', () => {
    const sources = parseOneLine('deb http://mirror.example/debian stable main')
    expect(debianMirror(sources)).to.deep.equal({
      archive: 'http://mirror.example/debian',
      security: undefined,
    })
  })

  it('may have several lines', () => {
    const sources = parseDeb822(
      'Types: deb\nURIs:\n http://one.example/debian\n http://two.example/debian\nSuites: sid\nComponents: main\n',
    )
    expect(debianMirror(sources)?.archive).to.equal('http://one.example/debian')
  })
})
