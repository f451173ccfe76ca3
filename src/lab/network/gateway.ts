import { type ChildProcess, spawn } from 'node:child_process'
import { Server, Socket } from 'node:net'
import { ownCommand } from '../supervisor/own-command.ts'
import type { OutsideReply, OutsideRequest } from './outside-helper.ts'

/** A listening socket on the machine's loopback. */
export interface Listening {
  readonly server: Server
  readonly port: number
}

interface Answer {
  readonly reply: OutsideReply
  readonly handle: unknown
}

/** The supervisor's way to the machine's own network: sockets that a helper process makes there and hands over. */
export class Gateway {
  readonly #network: string
  readonly #asked = new Map<number, (answer: Answer) => void>()
  #helper: ChildProcess | undefined
  #lastId = 0

  /** @param network the path of the namespace to make sockets in */
  constructor(network: string) {
    this.#network = network
    this.#helper = this.#start()
  }

  /** Listens on this port of 127.0.0.1, or on a free one when it is taken. */
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
