import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect } from 'chai'
import { type Env, environment } from './notes-api.ts'

const example = join(import.meta.dirname, '../../examples/notes-api')

/** Milliseconds of a login: longer than the timeout of a TCP connection, shorter than that of a login. */
const LOGIN = 1_500

describe('notes-api with a database host that is slow to log in', () => {
  let env: Env
  let database: Server
  let app: ChildProcess | undefined

  before(async function () {
    // The database driver is a dependency of the example only; `npm ci` there installs it.
    if (!existsSync(join(example, 'node_modules/pg'))) return this.skip()
    database = createServer(serve).listen(0, '127.0.0.1')
    await once(database, 'listening')
    const { port } = database.address() as AddressInfo
    env = { ...(await environment()), DATABASE_HOSTS: `127.0.0.1:${port}` }
  })
  after(async () => {
    if (app?.exitCode === null) {
      app.kill('SIGKILL')
      await once(app, 'close')
    }
    database?.close()
    if (env) rmSync(env['CREDENTIALS_DIRECTORY'] ?? '', { recursive: true })
  })

  it('is ready', async () => {
    app = spawn(process.execPath, ['--import', 'tsx', join(example, 'src/main.ts')], {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const address = await listening(app)
    const answer = await fetch(`http://${address}/readyz`)
    expect([answer.status, await answer.json()]).to.deep.equal([200, { ready: true, primary: env['DATABASE_HOSTS'] }])
  })
})

async function listening({ stdout }: ChildProcess): Promise<string> {
  if (stdout === null) throw new Error('its output is read')
  for await (const line of createInterface({ input: stdout })) {
    const { message, address } = JSON.parse(line) as { message: string; address?: string }
    if (message === 'listening' && address !== undefined) return address
  }
  throw new Error('it ended before it listened')
}

/** Serves the messages of the PostgreSQL protocol that the search for a primary needs. */
function serve(socket: Socket): void {
  socket.on('error', () => {})
  socket.once('data', () => {
    setTimeout(() => {
      socket.write(Buffer.concat([message('R', number(0)), READY]))
      socket.on('data', (data) => {
        if (data.toString('latin1', 0, 1) === 'Q')
          socket.write(Buffer.concat([...rowFor(data.toString()), message('C', text('SELECT 1')), READY]))
      })
    }, LOGIN)
  })
}

function rowFor(query: string): readonly Buffer[] {
  if (query.includes('pg_is_in_recovery'))
    return row({ standby: ['f', BOOLEAN], read_only: ['off', TEXT], timeline: ['00000001', TEXT] })
  if (query.includes('pg_tables')) return row({ there: ['t', BOOLEAN] })
  return row({ version: ['1', TEXT] })
}

const BOOLEAN = 16
const TEXT = 25

function row(columns: Readonly<Record<string, readonly [string, number]>>): readonly Buffer[] {
  const all = Object.entries(columns)
  const described = all.map(([name, [, type]]) =>
    Buffer.concat([text(name), number(0), short(0), number(type), short(-1), number(-1), short(0)]),
  )
  const values = all.map(([, [value]]) => Buffer.concat([number(value.length), Buffer.from(value)]))
  return [message('T', short(all.length), ...described), message('D', short(all.length), ...values)]
}

const READY = message('Z', Buffer.from('I'))

function message(type: string, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts)
  return Buffer.concat([Buffer.from(type), number(body.length + 4), body])
}

function number(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

function short(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeInt16BE(value)
  return bytes
}

function text(value: string): Buffer {
  return Buffer.from(`${value}\0`)
}
