import { once } from 'node:events'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { createServer, type Socket, connect as tcp } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type App, type AppParts, start } from '../../examples/notes-api/src/app.ts'
import { readConfig } from '../../examples/notes-api/src/config.ts'
import { Lost } from '../../examples/notes-api/src/database/failures.ts'
import type { OpenPool } from '../../examples/notes-api/src/database/pool.ts'
import { jsonLog } from '../../examples/notes-api/src/log.ts'

export type Env = Record<string, string>

/** Returns a complete and valid environment. No database host in it listens. */
export async function environment(): Promise<Env> {
  const directory = mkdtempSync(join(tmpdir(), 'notes-api-'))
  writeFileSync(join(directory, 'db-password'), 'correct horse\n')
  return {
    LISTEN: '127.0.0.1:0',
    METRICS: '127.0.0.1:0',
    DATABASE_HOSTS: `127.0.0.1:${await closedPort()},127.0.0.1:${await closedPort()}`,
    DATABASE_NAME: 'notes',
    DATABASE_USER: 'notes',
    CREDENTIALS_DIRECTORY: directory,
    RELEASE: 'r7',
  }
}

/** Starts the service on a free port, with the name app1. Its database ports are closed. */
export async function startApp(env: Env, { log = jsonLog(() => {}), ...parts }: Partial<AppParts> = {}): Promise<App> {
  return start({ config: { ...readConfig(env), host: 'app1' }, open: connectOnly, log, ...parts })
}

/** Only connects over TCP: the database driver is a dependency of the example, which may not be installed. */
const connectOnly: OpenPool = (endpoint) => ({
  endpoint,
  async session() {
    const socket = tcp(endpoint)
    try {
      await once(socket, 'connect')
    } catch (error) {
      throw new Lost(String(error), { cause: error })
    } finally {
      socket.destroy()
    }
    throw new Lost('someone listens here, who is no database')
  },
  destroy() {},
})

/** @throws the system's error, such as ECONNREFUSED */
export async function connection(app: App): Promise<Socket> {
  const socket = tcp(app.address)
  await once(socket, 'connect')
  return socket
}

/** Opens a connection that has already carried a request and is idle. */
export async function idleConnection(app: App): Promise<Socket> {
  const socket = await connection(app)
  socket.write('GET /livez HTTP/1.1\r\nhost: a\r\n\r\n')
  await once(socket, 'data')
  return socket
}

/** Returns all data until the other side closes or resets the connection. */
export async function received(socket: Socket): Promise<string> {
  let text = ''
  try {
    for await (const chunk of socket) text += chunk
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ECONNRESET')) throw error
  }
  return text
}

async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port')
  return address.port
}
