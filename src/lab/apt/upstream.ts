import { Agent, type ClientRequestArgs, type IncomingMessage, request } from 'node:http'
import { connect as connectTcp, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { connect as connectTls } from 'node:tls'
import type { Mirror } from './sources.ts'

/** Opens a connection, possibly from another network namespace. */
export type Connect = (target: { readonly host: string; readonly port: number }) => Promise<Socket>

/** Requests a file from its mirror. */
export type Ask = (url: URL, unlessNewerThan?: Date) => Promise<IncomingMessage>

/** Requests files from the hosts of one mirror only. */
export function askMirror({ archive, security }: Mirror, connect: Connect = directly): Ask {
  const secure = new Set([archive, security].flatMap((uri) => (uri?.startsWith('https:') ? [new URL(uri).host] : [])))
  const plainPool = new ConnectionPool(connect)
  const tlsPool = new ConnectionPool(async (target) => overTls(await connect(target), target.host))
  return (url, unlessNewerThan) => {
    const tls = secure.has(url.host)
    return send({
      agent: tls ? tlsPool : plainPool,
      host: url.hostname,
      port: Number(url.port) || (tls ? 443 : 80),
      path: url.pathname + url.search,
      headers: {
        host: url.host,
        'user-agent': 'provision-lab',
        ...(unlessNewerThan && { 'if-modified-since': unlessNewerThan.toUTCString() }),
      },
    })
  }
}

/** Milliseconds of silence that end a request; apt on a host waits 30 s. */
const TIMEOUT = 20_000

function send(options: ClientRequestArgs): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const asking = request(options, resolve)
    asking.setTimeout(TIMEOUT, () =>
      asking.destroy(new Error(`no answer from ${options.host} for ${TIMEOUT / 1000} s`)),
    )
    asking.on('error', reject)
    asking.end()
  })
}

class ConnectionPool extends Agent {
  readonly #connect: Connect

  constructor(connect: Connect) {
    super({ keepAlive: true, maxSockets: 8, maxFreeSockets: 2 })
    this.#connect = connect
  }

  override createConnection(
    { host, port }: ClientRequestArgs,
    made: (error: Error | null, socket: Duplex) => void,
  ): undefined {
    const failed = new Socket() // unused, but required by the types
    this.#connect({ host: host ?? '', port: Number(port) }).then(
      (socket) => made(null, socket),
      (error: Error) => made(error, failed),
    )
  }
}

function directly({ host, port }: Parameters<Connect>[0]): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connectTcp({ host, port }, () => resolve(socket))
    socket.once('error', reject)
  })
}

function overTls(socket: Socket, servername: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const secured = connectTls({ socket, servername }, () => resolve(secured))
    secured.once('error', reject)
  })
}
