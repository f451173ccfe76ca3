import { rmSync } from 'node:fs'
import { expect } from 'chai'
import type { App } from '../../examples/notes-api/src/app.ts'
import { jsonLog } from '../../examples/notes-api/src/log.ts'
import { connection, type Env, environment, received, startApp } from './notes-api.ts'

describe('notes-api without a database', () => {
  let env: Env
  let app: App
  let url: string
  const lines: Record<string, unknown>[] = []

  before(async () => {
    env = await environment()
    app = await startApp(env, {
      log: jsonLog((line) => lines.push(JSON.parse(line))),
      // fetch keeps its connections open.
      drainTimes: { idle: 10, giveUp: 1000 },
    })
    url = `http://127.0.0.1:${app.address.port}`
  })

  after(async () => {
    await app.stop()
    rmSync(env['CREDENTIALS_DIRECTORY'] ?? '', { recursive: true })
  })

  it('is alive', async () => {
    const response = await get('/livez')
    expect(response.status).to.equal(200)
    expect(response.headers.get('x-served-by')).to.equal('app1')
  })

  it('is not ready, and reports the answer of each database host', async () => {
    const response = await get('/readyz')
    expect(response.status).to.equal(503)
    const { ready, reason } = JSON.parse(await response.text())
    expect(ready).to.equal(false)
    expect(reason).to.match(
      /^no database host takes writes: 127\.0\.0\.1:\d+ failed: .*ECONNREFUSED.*; 127\.0\.0\.1:\d+ failed: .*ECONNREFUSED/,
    )
  })

  it('returns its name', async () => {
    const who = JSON.parse(await (await get('/api/whoami')).text())
    expect(who).to.include({ host: 'app1', release: 'r7', pid: process.pid })
    expect(who.uptime).to.be.a('number')
  })

  it('answers an unknown path and a wrong method with the valid ones', async () => {
    const missing = await get('/api/note')
    expect(missing.status).to.equal(404)
    expect(JSON.parse(await missing.text()).error.message).to.include('/api/notes/:id')
    const wrong = await get('/api/notes', { method: 'PUT' })
    expect(wrong.status).to.equal(405)
    expect(wrong.headers.get('allow')).to.equal('GET, POST')
  })

  it('passes on and logs a request id, and creates one if it is missing or invalid', async () => {
    const given = await get('/livez', { headers: { 'x-request-id': 'abc-1' } })
    expect(given.headers.get('x-request-id')).to.equal('abc-1')
    expect(lines.find((line) => line['requestId'] === 'abc-1')).to.include({ path: '/livez', status: 200 })
    const made = await get('/livez', { headers: { 'x-request-id': 'no spaces, please' } })
    expect(made.headers.get('x-request-id')).to.match(/^[0-9a-f-]{36}$/)
  })

  it('rejects a body that is too large, not JSON, or has no text', async () => {
    const large = await post(JSON.stringify({ text: 'x'.repeat(20_000) }))
    expect(large.status).to.equal(413)
    expect(large.headers.get('connection')).to.equal('close')
    expect((await post('{')).status).to.equal(400)
    expect((await post('{"text":"  "}')).status).to.equal(400)
    expect((await post(JSON.stringify({ text: 'x'.repeat(1001) }))).status).to.equal(400)
    expect((await post('{"text":"a"}', { 'content-type': 'text/plain' })).status).to.equal(415)
    expect((await post('{"text":"a"}', { 'idempotency-key': 'two words' })).status).to.equal(400)
  })

  it('rejects a body without a length as soon as it is too large', async () => {
    const socket = await connection(app)
    socket.write('POST /api/notes HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n')
    socket.write(`transfer-encoding: chunked\r\n\r\n4e20\r\n${'x'.repeat(20_000)}\r\n`)
    expect(await received(socket)).to.match(/^HTTP\/1\.1 413 /)
  })

  it('serves metrics only on the other port', async () => {
    expect((await get('/metrics')).status).to.equal(404)
    const text = await (await fetch(`http://127.0.0.1:${app.metricsAddress?.port}/metrics`)).text()
    expect(text).to.match(/^notes_build_info\{release="r7",host="app1",node="v[\d.]+"\} 1$/m)
    expect(text).to.match(/^notes_http_requests_total\{route="\/livez",method="GET",status="200"\} \d+$/m)
    expect(text).to.match(/^notes_database_searches_total\{outcome="none"\} \d+$/m)
  })

  function get(path: string, options: RequestInit = {}): Promise<Response> {
    return fetch(url + path, options)
  }

  function post(body: string, headers: Record<string, string> = {}): Promise<Response> {
    return get('/api/notes', {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json', ...headers },
    })
  }
})
