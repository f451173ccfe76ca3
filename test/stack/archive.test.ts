import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { create } from 'tar'
import { archive } from '../../stack/archive.ts'
import { wordsOf } from '../support/words.ts'

describe('the build of an application from a URL', () => {
  const before = process.env['XDG_CACHE_HOME']
  let directory: string
  let server: Server
  let url: string
  let sha256: string
  let content: Buffer
  let requests = 0

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'provision-archive-'))
    process.env['XDG_CACHE_HOME'] = join(directory, 'cache')
    mkdirSync(join(directory, 'shop-1.0/bin'), { recursive: true })
    writeFileSync(join(directory, 'shop-1.0/bin/run'), 'echo run\n', { mode: 0o755 })
    await create({ gzip: true, cwd: directory, file: join(directory, 'shop.tar.gz') }, ['shop-1.0'])
    content = readFileSync(join(directory, 'shop.tar.gz'))
    sha256 = createHash('sha256').update(content).digest('hex')
    requests = 0
    server = createServer((request, response) => {
      requests++
      response.writeHead(request.url === '/shop.tar.gz' ? 200 : 404).end(content)
    })
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    const address = server.address()
    url = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}/shop.tar.gz`
  })
  afterEach(async () => {
    await new Promise((done) => server.close(done))
    rmSync(directory, { recursive: true })
    if (before === undefined) delete process.env['XDG_CACHE_HOME']
    else process.env['XDG_CACHE_HOME'] = before
  })

  const cached = () => {
    const cache = join(directory, 'cache/provision/builds')
    return existsSync(cache) ? readdirSync(cache) : []
  }

  it('is fetched once, and its content is a folder', async () => {
    const first = await archive(url, { sha256, strip: 1 })
    expect(readFileSync(join(first, 'bin/run'), 'utf8')).to.equal('echo run\n')
    expect(await archive(url, { sha256: sha256.toUpperCase(), strip: 1 })).to.equal(first)
    expect(requests).to.equal(1)
    expect(cached()).to.have.length(1)
  })

  it('is refused with another checksum, and nothing of it is kept', async () => {
    const other = sha256.replace(/^./, (digit) => (digit === '0' ? '1' : '0'))
    expect(await wordsOf(() => archive(url, { sha256: other }))).to.equal(
      `error: This machine cannot fetch the build ${url}: it has another content: its SHA-256 is ${sha256}
   Correct the URL or the checksum. Nothing was changed on any host.`,
    )
    expect(cached()).to.deep.equal([])
  })

  it('is refused if the server does not have it, or does not answer', async () => {
    expect(await wordsOf(() => archive(`${url}x`, { sha256 }))).to.include(': the server answers 404 Not Found\n')
    expect(await wordsOf(() => archive('http://127.0.0.1:1/a.tar', { sha256 }))).to.include('This machine cannot fetch')
    expect(cached()).to.deep.equal([])
  })

  it('is refused if it is no tar archive, and nothing of it is kept', async () => {
    content = Buffer.from('<html>Please log in</html>')
    sha256 = createHash('sha256').update(content).digest('hex')
    expect(await wordsOf(() => archive(url, { sha256 }))).to.include('Unrecognized archive format')
    expect(cached()).to.deep.equal([])
  })

  it('needs a checksum', async () => {
    expect(await wordsOf(() => archive(url, { sha256: 'abc' }))).to.equal(
      `error: The checksum of ${url} is not a SHA-256\n   Write its 64 hexadecimal digits.`,
    )
  })
})
