import { connect, type Server, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'

export interface Target {
  readonly host: string
  readonly port: number
}

/** Forwards connections of a listening socket to a target inside the lab, with a simulated delay. */
export class Forwarder {
  /** The round trip in milliseconds. */
  delay = 0
  readonly #target: Target

  constructor(server: Server, target: Target) {
    this.#target = target
    server.on('connection', (client: Socket) => this.#forward(client))
  }

  #forward(client: Socket): void {
    client.on('error', () => {})
    // A distant client takes SYN, SYN-ACK and ACK before its server sees it; here it was accepted at once.
    if (this.delay === 0) this.#join(client)
    else setTimeout(() => this.#join(client), this.delay * 1.5)
  }

  #join(client: Socket): void {
    const host = connect({ ...this.#target, noDelay: true, allowHalfOpen: true })
    client.setNoDelay(true)
    host.on('error', () => client.resetAndDestroy())
    host.on('close', () => client.destroySoon())
    client.on('close', () => host.destroySoon())
    this.#carry(client, host)
    this.#carry(host, client)
  }

  #carry(from: Duplex, to: Duplex): void {
    let waiting = 0
    const later = (act: () => void) => {
      if (this.delay === 0 && waiting === 0) return act()
      waiting++
      setTimeout(() => {
        waiting--
        act()
      }, this.delay / 2)
    }
    from.on('data', (chunk: Buffer) => {
      later(() => {
        if (to.writable && !to.write(chunk)) from.pause()
      })
    })
    to.on('drain', () => from.resume())
    from.on('end', () => later(() => to.end()))
  }
}
