import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { expect } from 'chai'
import { matchesPatterns } from '../../src/transport/ssh/config.ts'
import { fingerprint } from '../../src/transport/ssh/encoding.ts'
import { KnownHosts, KnownHostsFile, knownHostsName } from '../../src/transport/ssh2/known-hosts.ts'
import { keygen, Workshop } from './sshd.ts'

describe('known_hosts', () => {
  const shop = new Workshop()
  let key: string
  let other: string
  before(() => {
    shop.key('a')
    shop.key('b', { type: 'ecdsa' })
    key = shop.publicKey('a')
    other = shop.publicKey('b')
  })
  after(() => shop.dispose())

  const find = (text: string, name: string) => new KnownHostsFile('known_hosts', text).find(name)
  const lines = (text: string, name: string) => find(text, name).map(({ line }) => line)

  it('finds a host by its name, in any case', () => {
    expect(find(`Web1.Example.com ${key}\n`, knownHostsName('web1.example.COM'))).to.have.length(1)
    expect(find(`web1 ${key}\n`, 'web2')).to.deep.equal([])
  })

  it('finds a host in a list of names and addresses', () => {
    expect(lines(`web1,10.0.0.5,fd00::5 ${key}\n`, '10.0.0.5')).to.deep.equal([1])
    expect(lines(`web1,10.0.0.5,fd00::5 ${key}\n`, 'fd00::5')).to.deep.equal([1])
  })

  it('uses a port other than 22 as part of the name', () => {
    const text = `[web1]:2222 ${key}\nweb1 ${other}\n`
    expect(lines(text, knownHostsName('web1', 2222))).to.deep.equal([1])
    expect(lines(text, knownHostsName('web1', 22))).to.deep.equal([2])
    expect(lines(text, knownHostsName('web1', 2223))).to.deep.equal([])
  })

  it('finds names hashed by ssh-keygen -H', () => {
    const file = shop.file('hashed', `web1 ${key}\n[web2]:2222 ${other}\n`)
    keygen('-H', '-f', file)
    const text = readFileSync(file, 'utf8')
    expect(text)
      .to.match(/^\|1\|/)
      .and.not.contain('web1')
    expect(lines(text, 'web1')).to.deep.equal([1])
    expect(lines(text, '[web2]:2222')).to.deep.equal([2])
    expect(lines(text, 'web2')).to.deep.equal([])
  })

  it('supports wildcards; a negation overrides all other patterns of its line', () => {
    const text = `*.example.com,!db?.example.com ${key}\n[10.0.0.*]:2222 ${key}\n`
    expect(lines(text, 'web1.example.com')).to.deep.equal([1])
    expect(lines(text, 'db1.example.com')).to.deep.equal([])
    expect(lines(text, 'db10.example.com')).to.deep.equal([1])
    expect(lines(text, '[10.0.0.7]:2222')).to.deep.equal([2])
    expect(matchesPatterns('a.b', 'axb'), 'a dot is a dot').to.equal(false)
  })

  it('reads the markers of revoked keys and of authorities', () => {
    const text = `@revoked * ${key}\n@cert-authority *.example.com ${other}\n@new-marker * ${key}\n`
    expect(find(text, 'web1.example.com').map(({ marker }) => marker)).to.deep.equal(['revoked', 'cert-authority'])
  })

  it('skips comments, blank lines, SSH 1 keys, truncated and invalid lines, but counts them', () => {
    const text = `# a comment\n\nweb1 1024 35 1234567\nweb1 ssh-rsa\nweb1 ssh-rsa AAAA\n  web1\t${key} comment\n`
    expect(lines(text, 'web1')).to.deep.equal([6])
  })

  it('reads files with Windows line endings', () => {
    expect(lines(`web1 ${other}\r\nweb2 ${key}\r\n`, 'web2')).to.deep.equal([2])
  })

  it('gives the same fingerprint as ssh-keygen', () => {
    const [known] = find(`web1 ${key}\n`, 'web1')
    expect(known && fingerprint(known.key)).to.equal(shop.fingerprint('a'))
  })

  describe('written to', () => {
    const bytes = (text: string) => Buffer.from(text.split(' ')[1] ?? '', 'base64')

    it('creates a directory and a file for the owner only', async () => {
      const path = shop.file('home/.ssh/known_hosts')
      await new KnownHosts().remember(path, { name: 'web1', key: bytes(key), hash: false })
      expect(readFileSync(path, 'utf8')).to.equal(`web1 ${key}\n`)
      expect(statSync(path).mode & 0o777).to.equal(0o600)
      expect(statSync(shop.file('home/.ssh')).mode & 0o777).to.equal(0o700)
    })

    it('keeps the mode of an existing file, and terminates its last line', async () => {
      const path = shop.file('kept')
      writeFileSync(path, `web1 ${key}`)
      chmodSync(path, 0o644)
      await new KnownHosts().remember(path, { name: 'web2', key: bytes(other), hash: false })
      expect(readFileSync(path, 'utf8')).to.equal(`web1 ${key}\nweb2 ${other}\n`)
      expect(statSync(path).mode & 0o777).to.equal(0o644)
    })

    it('hashes the name as ssh-keygen -F expects', async () => {
      const path = shop.file('new-hashed')
      await new KnownHosts().remember(path, { name: '[web1]:2222', key: bytes(key), hash: true })
      expect(readFileSync(path, 'utf8')).to.not.contain('web1')
      expect(keygen('-F', '[web1]:2222', '-f', path)).to.contain(key)
    })

    it('saves a key once, and then knows it', async () => {
      const path = shop.file('twice')
      const store = new KnownHosts()
      const entry = { name: 'web1', key: bytes(key), hash: true }
      await Promise.all([store.remember(path, entry), store.remember(path, entry)])
      expect(readFileSync(path, 'utf8').trim().split('\n')).to.have.length(1)
      expect((await store.find([path], 'web1')).map(({ line }) => line)).to.deep.equal([1])
    })

    it('reads /dev/null as an empty file and writes to it without an error', async () => {
      await new KnownHosts().remember('/dev/null', { name: 'web1', key: bytes(key), hash: false })
    })

    it('fails for an unreadable file, which may revoke a key', async () => {
      mkdirSync(shop.file('folder'))
      const error = await new KnownHosts().find([shop.file('folder')], 'web1').catch((error: unknown) => error)
      expect(error).to.be.instanceOf(Error)
    })
  })
})
