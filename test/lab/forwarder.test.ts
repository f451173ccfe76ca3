import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { expect } from 'chai'
import { Forwarder } from '../../src/lab/network/forwarder.ts'

describe('a forwarded port', () => {
  const servers: Server[] = []

  async function listening(serve?: (socket: Socket) => void): Promise<{ server: Server; port: number }> {
    const server = createServer({ allowHalfOpen: true }, serve)
    servers.push(server)
    await once(server.listen(0, '127.0.0.1'), 'listening')
    return { server, port: (server.address() as AddressInfo).port }
  }

  afterEach(() => {
    for (const server of servers.splice(0)) server.close()
  })

  it('forwards both directions and their ends', async () => {
    const echo = await listening((socket) => socket.pipe(socket))
    const { server, port } = await listening()
    new Forwarder(server, { host: '127.0.0.1', port: echo.port })
    const client = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    const long = 'a line of text\n'.repeat(50_000)
    client.end(long)
    expect(await text(client)).to.equal(long)
  })

  it('delivers the greeting of a server two round trips after the call', async () => {
    const greeter = await listening((socket) => socket.end('SSH-2.0-test\r\n'))
    const { server, port } = await listening()
    const forwarder = new Forwarder(server, { host: '127.0.0.1', port: greeter.port })
    forwarder.delay = 30
    const begin = performance.now()
    const client = connect({ port, host: '127.0.0.1' })
    await once(client, 'data')
    expect(performance.now() - begin).to.be.at.least(58)
    client.destroy()
  })

  it('is closed if the target does not answer', async () => {
    const gone = await listening()
    gone.server.close()
    const { server, port } = await listening()
    new Forwarder(server, { host: '127.0.0.1', port: gone.port })
    const client = connect({ port, host: '127.0.0.1' })
    client.on('error', () => {})
    await new Promise((resolve) => client.once('close', resolve))
  })
})
