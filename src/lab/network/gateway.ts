import { type ChildProcess, spawn } from 'node:child_process'
import { createServer, Server, Socket } from 'node:net'
import { ownCommand } from '../base/run.ts'

/** A listening socket on the machine's loopback. */
interface Listening {
  readonly server: Server
  readonly port: number
}

interface Answer {
  readonly reply: OutsideReply
  readonly handle: unknown
}

/** The supervisor's access to the machine's network: a helper process creates sockets there and passes them over. */
export class Gateway {
  readonly #network: string
  readonly #asked = new Map<number, (answer: Answer) => void>()
  #helper: ChildProcess | undefined
  #lastId = 0

  /** @param network the path of the namespace for the sockets */
  constructor(network: string) {
    this.#network = network
    this.#helper = this.#start()
  }

  /** Listens on this port of 127.0.0.1, or on a free one if it is in use. */
  async listen(port: number): Promise<Listening> {
    const { handle, reply } = await this.#ask((id) => ({ id, kind: 'listen', port }))
    if (!(handle instanceof Server)) throw new Error(`no socket to listen on: ${reply.error}`)
    return { server: handle, port: reply.port ?? port }
  }

  async connect({ host, port }: { readonly host: string; readonly port: number }): Promise<Socket> {
    const { handle, reply } = await this.#ask((id) => ({ id, kind: 'connect', host, port }))
    if (!(handle instanceof Socket)) throw new Error(`no connection to ${host}: ${reply.error}`)
    return handle
  }

  #ask(make: (id: number) => OutsideRequest): Promise<Answer> {
    const request = make(++this.#lastId)
    this.#helper ??= this.#start()
    this.#helper.send(request)
    return new Promise((resolve) => this.#asked.set(request.id, resolve))
  }

  #start(): ChildProcess {
    const helper = spawn('nsenter', [`--net=${this.#network}`, '--', ...ownCommand('lab', 'outside')], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    const over = (error: string) => {
      if (this.#helper === helper) this.#helper = undefined
      for (const id of [...this.#asked.keys()]) this.#answer({ id, error }, undefined)
    }
    helper.on('message', (reply: OutsideReply, handle) => this.#answer(reply, handle))
    helper.on('error', (error) => over(error.message))
    helper.on('close', () => over('the helper ended'))
    return helper
  }

  #answer(reply: OutsideReply, handle: unknown): void {
    const resolve = this.#asked.get(reply.id)
    this.#asked.delete(reply.id)
    resolve?.({ reply, handle })
  }
}

/** A request to the helper in the machine's network. */
type OutsideRequest =
  | { readonly id: number; readonly kind: 'listen'; readonly port: number }
  | { readonly id: number; readonly kind: 'connect'; readonly host: string; readonly port: number }

/** Accompanies the socket, or has the error. */
type OutsideReply = { readonly id: number; readonly port?: number; readonly error?: string }

/**
 * Runs the helper: creates sockets in its network namespace and passes them to the supervisor, which is in another one. A socket stays in
 * the namespace where it was created.
 */
export function serveOutside(): void {
  process.on('message', (request: OutsideRequest) => {
    const reply = (rest: Omit<OutsideReply, 'id'>, handle?: Server | Socket) => {
      process.send?.({ id: request.id, ...rest }, handle, undefined, () => handle instanceof Socket || handle?.close())
    }
    if (request.kind === 'listen') listen(request.port, reply)
    else connect(request, reply)
  })
  process.on('disconnect', () => process.exit())
}

type Reply = (rest: Omit<OutsideReply, 'id'>, handle?: Server | Socket) => void

/** Listens on the requested port, or on any other if it is in use. */
function listen(port: number, reply: Reply): void {
  const server = createServer()
  server.once('error', (error) => {
    if (port === 0) reply({ error: error.message })
    else listen(0, reply)
  })
  server.listen({ port, host: '127.0.0.1' }, () => {
    const address = server.address()
    reply({ port: typeof address === 'object' ? (address?.port ?? 0) : 0 }, server)
  })
}

function connect({ host, port }: { readonly host: string; readonly port: number }, reply: Reply): void {
  const socket = new Socket()
  socket.once('error', (error) => reply({ error: error.message }))
  socket.once('connect', () => reply({}, socket))
  socket.connect({ host, port })
}
