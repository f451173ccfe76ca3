import { rmSync } from 'node:fs'
import { expect } from 'chai'
import type { App } from '../../examples/notes-api/src/app.ts'
import { connection, type Env, environment, idleConnection, received, startApp } from './notes-api.ts'

describe('notes-api stopping', () => {
  let env: Env

  before(async () => {
    env = await environment()
  })

  after(() => rmSync(env['CREDENTIALS_DIRECTORY'] ?? '', { recursive: true }))

  it('rejects new connections at once, answers current requests, and ends after them', async () => {
    const app = await startApp(env)
    const socket = await idleConnection(app)
    socket.write(`${postOf(2)}{`)
    const stopped = app.stop()
    expect(await refusal(app)).to.equal('ECONNREFUSED')
    socket.write('{')
    const answer = await received(socket)
    expect(answer).to.match(/^HTTP\/1\.1 400 /)
    expect(answer).to.match(/^connection: close\r$/im)
    await stopped
  })

  it('still answers on an idle connection, but is not ready', async () => {
    const app = await startApp(env)
    const socket = await idleConnection(app)
    const stopped = app.stop()
    socket.write('GET /readyz HTTP/1.1\r\nhost: a\r\n\r\n')
    const answer = await received(socket)
    expect(answer).to.match(/^HTTP\/1\.1 503 /)
    expect(answer).to.include('this instance is stopping')
    await stopped
  })

  it('closes idle connections after a delay, and the others at the limit', async () => {
    const app = await startApp(env, { drainTimes: { idle: 50, giveUp: 200 } })
    const idle = await idleConnection(app)
    const stuck = await idleConnection(app)
    stuck.write(postOf(9))
    const ended: string[] = []
    const ends = [received(idle).then(() => ended.push('idle')), received(stuck).then(() => ended.push('stuck'))]
    await app.stop()
    await Promise.all(ends)
    expect(ended).to.deep.equal(['idle', 'stuck'])
  })
})

/** Returns the head of a POST, without a body. */
function postOf(length: number): string {
  return `POST /api/notes HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n`
}

async function refusal(app: App): Promise<unknown> {
  try {
    ;(await connection(app)).destroy()
    return 'connected'
  } catch (error) {
    return error instanceof Error && 'code' in error ? error.code : error
  }
}
