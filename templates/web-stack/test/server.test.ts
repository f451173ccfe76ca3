import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createServer } from 'node:net'

describe('the application', () => {
  it('answers, and ends at SIGTERM', async () => {
    const port = await freePort()
    const child = spawn(process.execPath, ['app/server.mjs'], { env: { ...process.env, PORT: String(port) } })
    const ended = new Promise<number | null>((done) => child.once('exit', done))
    try {
      assert.match(await (await answer(`http://127.0.0.1:${port}/`)).text(), /^Hello from /)
    } finally {
      child.kill('SIGTERM')
    }
    assert.equal(await ended, 0)
  })
})

/** The answer, as soon as there is one. */
async function answer(url: string): Promise<Response> {
  for (;;) {
    const response = await fetch(url).catch(() => undefined)
    if (response) return response
    await new Promise((done) => setTimeout(done, 50))
  }
}

function freePort(): Promise<number> {
  return new Promise((done) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => done(typeof address === 'object' && address ? address.port : 0))
    })
  })
}
