import { expect } from 'chai'
import { Problem } from '../../src/model/problem.ts'
import { type AptSourceOptions, aptSource } from '../../src/resources/packages/source.ts'
import { lookAtSources, sourceState } from '../../src/resources/packages/source-state.ts'
import { fakeHost } from '../../src/testing/fake-host.ts'
import { converge } from '../../src/testing/index.ts'

const KEY = '-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmDMEZVPwEBYJ\n-----END PGP PUBLIC KEY BLOCK-----\n'
const options = { uri: 'https://deb.example.net/tool', suites: 'stable', key: KEY }

describe('a source of packages', () => {
  const filesOf = async (given: AptSourceOptions) => {
    const { files } = await converge(aptSource('tool', given), fakeHost())
    return Object.fromEntries(
      Object.entries(files).flatMap(([path, { text }]) => (text === undefined ? [] : [[path, text]])),
    )
  }

  it('is a file in the format of deb822, with a key of its own', async () => {
    expect(await filesOf(options)).to.deep.equal({
      '/etc/apt/keyrings/tool.asc': KEY,
      '/etc/apt/sources.list.d/tool.sources':
        'Types: deb\nURIs: https://deb.example.net/tool\nSuites: stable\nComponents: main\nSigned-By: /etc/apt/keyrings/tool.asc\n',
    })
  })

  it('has several keys, one of them binary, or a key that the host has', async () => {
    const binary = Uint8Array.of(0x98, 0x33, 4)
    const several = await filesOf({ ...options, key: [KEY, binary] })
    expect(several['/etc/apt/sources.list.d/tool.sources']).to.include(
      'Signed-By: /etc/apt/keyrings/tool.asc /etc/apt/keyrings/tool-2.gpg\n',
    )
    const signedBy = '/usr/share/keyrings/debian-archive-keyring.gpg'
    const own = await filesOf({ uri: options.uri, suites: ['a', 'b'], components: ['main', 'contrib'], signedBy })
    expect(Object.keys(own)).to.deep.equal(['/etc/apt/sources.list.d/tool.sources'])
    expect(own['/etc/apt/sources.list.d/tool.sources']).to.include('Suites: a b\nComponents: main contrib\n')
  })

  it('has no components if its release is a path', async () => {
    const files = await filesOf({ ...options, suites: './', architectures: ['amd64'], sourceCode: true })
    expect(files['/etc/apt/sources.list.d/tool.sources']).to.equal(
      'Types: deb deb-src\nURIs: https://deb.example.net/tool\nSuites: ./\nArchitectures: amd64\nSigned-By: /etc/apt/keyrings/tool.asc\n',
    )
  })

  it('rejects names that apt ignores, words with spaces, private keys, and files that are no keys', () => {
    expect(() => aptSource('a b', options)).to.throw(TypeError, 'apt ignores the file')
    expect(() => aptSource('tool', { ...options, suites: 'a b' })).to.throw(
      TypeError,
      '"a b" is not one word, for Suites',
    )
    expect(() => aptSource('tool', { ...options, key: KEY.replace('PUBLIC', 'PRIVATE') })).to.throw(
      TypeError,
      'the key is a private key',
    )
    expect(() => aptSource('tool', { ...options, key: '<!DOCTYPE html>' })).to.throw(
      TypeError,
      'neither an armored nor a binary public key',
    )
  })

  it('is found in another file, in both formats', () => {
    const wanted = { uris: ['https://deb.example.net/tool'], suites: ['stable'] }
    const found = (path: string, text: string) => lookAtSources(wanted, new Map([[path, text]]))
    const list = '/etc/apt/sources.list.d/old.list'
    expect(found(list, 'deb [signed-by=/a arch=amd64] https://deb.example.net/tool/ stable main\n')).to.equal(list)
    expect(found(list, '# deb https://deb.example.net/tool stable main\n')).to.equal(undefined)
    expect(found(list, 'deb https://deb.example.net/tool testing main\n')).to.equal(undefined)
    const sources = '/etc/apt/sources.list.d/old.sources'
    const stanza = 'Types: deb\nURIs: https://a.example.net\n https://deb.example.net/tool\nSuites: testing stable\n'
    expect(found(sources, `Types: deb\nURIs: https://b\nSuites: stable\n\n${stanza}`)).to.equal(sources)
    expect(found(sources, `${stanza}Enabled: no\n`)).to.equal(undefined)
    expect(found(sources, stanza.replace('testing stable', 'testing'))).to.equal(undefined)
  })

  it('is not added while another file has it, with the step that solves this', () => {
    const path = '/etc/apt/sources.list.d/old.list'
    const state = { refreshed: false, files: new Map([[path, 'deb https://deb.example.net/tool stable main\n']]) }
    const diff = aptSource('tool', options).diff([[undefined, undefined], state])
    expect(diff?.problem)
      .to.be.instanceOf(Problem)
      .with.property('message', `${path} has the same source: https://deb.example.net/tool stable`)
    expect(diff?.problem?.next).to.include(`absent('${path}')`)
  })

  it('is read with the texts of all other sources', () => {
    const [part] = sourceState('tool').parts
    const stdout = 'stale:tool\n/etc/apt/sources.list:# none\n/etc/apt/sources.list.d/tool.sources:Types: deb\n'
    expect(part?.family.parse({ code: 0, stdout, stderr: '', bytes: Buffer.from(stdout) }, ['tool'])).to.deep.equal([
      { refreshed: false, files: new Map([['/etc/apt/sources.list', '# none\n']]) },
    ])
  })
})
