import { createReadStream } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { CACHE } from '../base/paths.ts'
import { AptCache } from './cache.ts'
import { Download } from './download.ts'
import type { Mirror } from './sources.ts'
import { askMirror, type Connect } from './upstream.ts'

/** A caching HTTP proxy for apt, for one mirror only. */
export function aptProxy(mirror: Mirror, connect?: Connect): Server {
  const uris = [mirror.archive, mirror.security].flatMap((uri) => uri ?? [])
  const cache = new AptCache({
    directory: join(CACHE, 'apt'),
    hosts: new Set(uris.map((uri) => new URL(uri).host)),
    ask: askMirror(mirror, connect),
  })
  return createServer((request, response) => {
    serve(cache, request, response).catch(() => response.destroy()) // apt retries
  })
}

/** The same on loopback, while a base image is built. */
export async function serveOnLoopback(mirror: Mirror): Promise<AsyncDisposable & { readonly port: number }> {
  const server = aptProxy(mirror)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function serve(cache: AptCache, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (!request.url?.startsWith('http://') || !['GET', 'HEAD'].includes(request.method ?? '')) {
    return refuse(response, 400, 'This proxy is for apt only')
  }
  const found = await cache.get(new URL(request.url))
  if ('status' in found) return refuse(response, found.status, found.why)
  const { modified, length } = found
  const since = new Date(request.headers['if-modified-since'] ?? '').getTime()
  if (modified && Math.floor(modified.getTime() / 1000) * 1000 <= since) {
    response.writeHead(304).end()
    return
  }
  if (modified) response.setHeader('last-modified', modified.toUTCString())
  if (length !== undefined) response.setHeader('content-length', length)
  if (request.method === 'HEAD') {
    response.end()
    return
  }
  await pipeline(found instanceof Download ? Readable.from(found.read()) : createReadStream(found.path), response)
}

function refuse(response: ServerResponse, status: number, why: string): void {
  response.writeHead(status, why.replace(/[^ -~]/g, ' ')).end()
}
