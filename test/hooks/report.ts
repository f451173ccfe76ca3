import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { HookReport } from '../../src/model/hook.ts'
import { Problem } from '../../src/model/problem.ts'
import { refused, step } from '../report/terminal/script.ts'

const began = Date.parse('2026-01-02T03:04:05.000Z')
const at = { play: 'web', host: 'web1' }

/** A run that has changed one host and failed on another. */
export const REPORT: HookReport = {
  ...{ event: 'onEnd', mode: 'apply', status: 'failed', began: new Date(began).toISOString(), ms: 5_000 },
  command: 'provision --inventory prod.ts',
  hosts: [
    { host: 'web1', outcome: 'changed', changed: 1 },
    { host: 'web2', outcome: 'failed', changed: 0 },
  ],
  changes: [
    {
      ...at,
      ...{ step: 'file /etc/motd', roles: ['base'], action: 'change' },
      fields: [{ name: 'mode', from: '0600', to: '0644' }],
    },
  ],
  problems: [{ host: 'web2', message: refused.message, next: 'Fix it.' }],
  events: [
    { at: began + 100, event: { kind: 'connected', host: 'web1', ms: 100 } },
    { at: began + 200, event: { kind: 'refreshed', host: 'web1', steps: 2, differing: 1 } },
    { at: began + 300, event: { kind: 'applying', ...at, steps: [step('file', '/etc/motd', 'base')] } },
    {
      at: began + 700,
      event: {
        ...{ kind: 'step', ...at, step: step('file', '/etc/motd', 'base'), outcome: 'changed' },
        difference: { action: 'change', fields: [] },
      },
    },
    { at: began + 900, event: { kind: 'handler', ...at, name: 'reload nginx', pending: false, outcome: 'done' } },
    { at: began + 400, event: { kind: 'failed', play: 'web', host: 'web2', problem: new Problem(refused.message) } },
  ],
}

/** A request that the server has received. */
export interface Received {
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly text: string
}

/** A real HTTP server on the loopback. */
export class Server {
  readonly requests: Received[] = []
  readonly #server = createServer((request, response) => void this.#receive(request, response))
  readonly #answer: (response: ServerResponse) => void

  constructor(answer: (response: ServerResponse) => void = (response) => void response.end()) {
    this.#answer = answer
  }

  async start(): Promise<string> {
    await new Promise<void>((done) => this.#server.listen(0, '127.0.0.1', done))
    // A server on a port has such an address.
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  stop(): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }

  async #receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = ''
    for await (const piece of request) text += piece
    this.requests.push({ path: request.url ?? '', headers: request.headers, text })
    this.#answer(response)
  }
}
