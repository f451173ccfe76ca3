import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { expect } from 'chai'
import { AptCache, type CacheAnswer } from '../../src/lab/apt/cache.ts'
import { Download } from '../../src/lab/apt/download.ts'
import { askMirror } from '../../src/lab/apt/upstream.ts'

/** A mirror that counts requests and can fail. */
class Mirror {
  readonly asked: string[] = []
  release = 'release 1'
  modified = new Date('2026-01-01T00:00:00Z')
  half = false
  readonly server: Server

  constructor() {
    this.server = createServer(({ url = '', headers }, response) => {
      this.asked.push(url)
      if (url.endsWith('/missing')) response.writeHead(404).end()
      else if (new Date(headers['if-modified-since'] ?? 0) >= this.modified) response.writeHead(304).end()
      else this.#send(url.includes('/pool/') ? 'package '.repeat(20_000) : this.release, response)
    })
  }

  #send(body: string, response: ServerResponse): void {
    response.writeHead(200, { 'content-length': body.length, 'last-modified': this.modified.toUTCString() })
    if (this.half) response.write(body.slice(0, 9), () => response.destroy())
    else response.end(body)
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections()
    await new Promise((resolve) => this.server.close(resolve))
  }
}

async function textOf(found: CacheAnswer): Promise<string> {
  if (found instanceof Download) return (await buffer(found.read())).toString()
  if ('status' in found) return `${found.status}`
  return readFile(found.path, 'utf8')
}

describe('the cache of packages', () => {
  let directory: string
  let mirror: Mirror
  let uri: string
  let cache: AptCache

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'apt-cache-'))
    mirror = new Mirror()
    uri = await mirror.start()
    const ask = askMirror({ archive: uri, security: undefined })
    cache = new AptCache({ directory, hosts: new Set([new URL(uri).host]), ask, freshFor: 0 })
  })

  afterEach(async () => {
    await mirror.stop()
    rmSync(directory, { recursive: true })
  })

  const get = async (path: string) => textOf(await cache.get(new URL(path, uri)))
  const settled = async (path: string) => {
    const found = await cache.get(new URL(path, uri))
    if (found instanceof Download) await found.done
  }

  it('downloads a package once for concurrent requests', async () => {
    const all = await Promise.all(Array.from({ length: 8 }, () => get('/pool/a.deb')))
    expect(new Set(all)).to.deep.equal(new Set(['package '.repeat(20_000)]))
    expect(await get('/pool/a.deb')).to.equal(all[0])
    expect(mirror.asked).to.deep.equal(['/pool/a.deb'])
  })

  it('checks whether an index has changed, and downloads a new one', async () => {
    await settled('/dists/InRelease')
    expect(await get('/dists/InRelease')).to.equal('release 1')
    mirror.release = 'release 2'
    mirror.modified = new Date('2026-02-01T00:00:00Z')
    expect(await get('/dists/InRelease')).to.equal('release 2')
    expect(mirror.asked).to.have.length(3)
  })

  it('serves stored files if the mirror is not reachable', async () => {
    await settled('/dists/InRelease')
    await mirror.stop()
    expect(await get('/dists/InRelease')).to.equal('release 1')
    expect(await get('/dists/Packages')).to.equal('504')
  })

  it('returns the status of a missing file, and requests it again the next time', async () => {
    expect(await get('/pool/missing')).to.equal('404')
    expect(await get('/pool/missing')).to.equal('404')
    expect(mirror.asked).to.have.length(2)
  })

  it('discards an incomplete file and reports it to the reader', async () => {
    mirror.half = true
    const error = await get('/pool/a.deb').catch((reason: unknown) => reason)
    expect(error).to.be.instanceOf(Error)
    expect(readdirSync(directory, { recursive: true }).filter((name) => String(name).includes('.deb'))).to.deep.equal(
      [],
    )
    mirror.half = false
    expect(await get('/pool/a.deb')).to.have.length(160_000)
  })

  it('removes the partial file of a dead download, but not that of a running one', async () => {
    const pool = join(directory, new URL(uri).host, 'pool')
    mkdirSync(pool, { recursive: true })
    for (const name of ['a.deb.4194305.part', `a.deb.${process.ppid}.part`, 'b.deb.4194305.part'])
      writeFileSync(join(pool, name), '')
    await get('/pool/a.deb')
    expect(readdirSync(pool).sort()).to.deep.equal(['a.deb', `a.deb.${process.ppid}.part`, 'b.deb.4194305.part'].sort())
  })

  it('rejects other hosts', async () => {
    const found = await cache.get(new URL('http://other.example/pool/a.deb'))
    expect(found).to.include({ status: 403 })
  })
})
