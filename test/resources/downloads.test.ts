import { createServer, type Server } from 'node:http'
import { expect } from 'chai'
import { Problem } from '../../src/model/problem.ts'
import { download } from '../../src/resources/downloads/download.ts'
import { RemoteFile } from '../../src/resources/downloads/remote-file.ts'
import { unpack } from '../../src/resources/downloads/unpack.ts'
import { localFile, sha256 } from '../../src/resources/files/content.ts'
import { Secret } from '../../src/shell/secret.ts'
import { thrown } from '../transport/helpers.ts'

const SUM = 'ab'.repeat(32)
const url = 'https://example.net/tool'

describe('a download', () => {
  it('rejects other URLs, credentials in them, checksums of another length, and headers with lines', () => {
    const made =
      (given: string, more = {}) =>
      () =>
        download('/srv/tool', given, { sha256: SUM, ...more })
    expect(made('ftp://example.net/tool')).to.throw(TypeError, 'is not an http or https URL')
    expect(made('https://example.net/a"b')).to.throw(TypeError, 'is not an http or https URL')
    expect(made('https://me:word@example.net/')).to.throw(TypeError, 'use headers with a Secret')
    expect(made(url, { sha256: 'abc' })).to.throw(TypeError, 'sha256 should have 64 hexadecimal digits')
    expect(made(url, { headers: { a: 'b\nc' } })).to.throw(TypeError, 'is not one line')
  })

  it('passes its URL and its headers on standard input', () => {
    const headers = { authorization: new Secret(() => 'Bearer "quiet"') }
    const apply = (tool: string) => download('/srv/tool', url, { sha256: SUM, headers }).apply([undefined, { tool }])
    const [curl] = apply('curl')
    expect(curl?.script.text).to.not.include('quiet')
    expect(curl?.input instanceof Secret && curl.input.reveal()).to.include(
      'header = "authorization: Bearer \\"quiet\\""',
    )
    const [wget] = apply('wget')
    expect(wget?.script.text).to.include('wget').and.not.include('quiet')
    expect(wget?.input instanceof Secret && wget.input.reveal()).to.equal('header = authorization: Bearer "quiet"\n')
  })

  it('rejects a secret header with several lines', () => {
    const headers = { authorization: new Secret(() => 'a\nb') }
    const [command] = download('/srv/tool', url, { sha256: SUM, headers }).apply([undefined, { tool: 'curl' }])
    expect(() => command?.input instanceof Secret && command.input.reveal()).to.throw(
      Problem,
      'The value of the header authorization has more than one line',
    )
  })

  it('explains another checksum', () => {
    const [command] = download('/srv/tool', url, { sha256: SUM }).apply([undefined, { tool: 'curl' }])
    expect(command?.explain?.(`the checksum is ${SUM}\n`)?.what).to.equal(
      `${url} has another content: its SHA-256 is ${SUM}`,
    )
  })

  it('is read with the program that fetches it', () => {
    const [, part] = download('/srv/tool', url, { sha256: SUM }).read.parts
    const stdout = `none\0${SUM}  /srv/tool\0`
    expect(
      part?.family.parse({ code: 0, stdout, stderr: '', bytes: Buffer.from(stdout) }, [{ path: '/srv/tool' }]),
    ).to.deep.equal([{ tool: undefined, sha256: SUM }])
  })

  describe('by this machine', () => {
    let server: Server
    let at = ''
    let requests = 0
    before((done) => {
      server = createServer((request, response) => {
        requests++
        const isAllowed = request.headers.authorization === 'Bearer quiet'
        response.writeHead(isAllowed ? 200 : 403).end(isAllowed ? 'content' : 'no')
      }).listen(0, '127.0.0.1', () => {
        const address = server.address()
        at = typeof address === 'object' ? `http://127.0.0.1:${address?.port}/` : ''
        done()
      })
    })
    after(() => server.close())
    const headers = { authorization: new Secret(() => 'Bearer quiet') }

    it('is fetched once for all hosts, with its headers', async () => {
      const all = [1, 2].map(() => new RemoteFile({ url: at, headers, sha256: sha256('content') }).open())
      for (const { size, pieces } of await Promise.all(all)) {
        expect(size).to.equal('content'.length)
        const all: Uint8Array[] = []
        for await (const piece of pieces) all.push(piece)
        expect(Buffer.concat(all).toString()).to.equal('content')
      }
      expect(requests).to.equal(1)
    })

    it('is fetched again after a failure', async () => {
      const again = `${at}again`
      await thrown(new RemoteFile({ url: again, headers: {}, sha256: undefined }).open())
      expect((await new RemoteFile({ url: again, headers, sha256: undefined }).open()).size).to.equal('content'.length)
    })

    it('is refused with another checksum, another status, and without a server', async () => {
      const error = (of: string, more: object) =>
        thrown(new RemoteFile({ url: of, headers, sha256: undefined, ...more }).open())
      expect(await error(at, { sha256: SUM }))
        .to.be.instanceOf(Problem)
        .with.property('message')
        .that.includes('SHA-256')
      expect(String(await error(at, { headers: {} }))).to.include('the server answers 403 Forbidden')
      expect(String(await error('http://127.0.0.1:1/', {}))).to.include('This machine cannot fetch http://127.0.0.1:1/')
    })
  })
})

describe('an archive to unpack', () => {
  const archive = '/var/cache/tool.tar'

  it('rejects an archive of the host without a checksum, and a negative strip', () => {
    expect(() => unpack('/opt/tool', archive, {})).to.throw(TypeError, `give the sha256 of ${archive}`)
    expect(() => unpack('/opt/tool', archive, { sha256: SUM, strip: -1 })).to.throw(TypeError, 'whole number')
  })

  it('of this machine has the checksum that is given, if one is', async () => {
    const step = unpack('/opt/tool', localFile(import.meta, '../integration/repository/tool.tar.gz'), { sha256: SUM })
    await step.prepare?.()
    expect(() => step.diff([undefined, undefined])).to.throw(Problem, 'the archive has another content: its SHA-256 is')
  })

  it('does not replace a directory of another origin', () => {
    const step = unpack('/opt/tool', archive, { sha256: SUM })
    const diff = step.diff([{ type: 'directory' }, undefined])
    expect(diff?.problem?.message).to.equal('/opt/tool was not unpacked from an archive')
  })

  it('explains a missing program and another checksum', () => {
    const [command] = unpack('/opt/tool', archive, { sha256: SUM }).apply([undefined, undefined])
    expect(command?.explain?.('tar (child): xz: Cannot exec: No such file')).to.include({
      what: 'the host has no xz',
      next: "Add a step before this one: pkg('xz-utils').",
    })
    expect(command?.explain?.(`the checksum is ${SUM}\n`)?.what).to.include('has another content')
  })
})
