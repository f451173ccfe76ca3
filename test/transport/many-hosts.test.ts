import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { expect } from 'chai'
import ssh2 from 'ssh2'
import { opensshTransport } from '../../src/transport/openssh/transport.ts'
import { fingerprint } from '../../src/transport/ssh/encoding.ts'
import { sshTransport } from '../../src/transport/ssh2/transport.ts'
import type { Target, Transport } from '../../src/transport/transport.ts'
import { noSshd, Sshd, Workshop } from './sshd.ts'

describe('many hosts', function () {
  this.slow('10s')
  const shop = new Workshop()
  let sshd: Sshd
  let target: Target
  before(async function () {
    if (noSshd()) return this.skip()
    shop.key('host')
    shop.key('me')
    // Debian's default: from the tenth pending login on, three of ten are dropped.
    sshd = await Sshd.start({
      workshop: shop,
      hostKeys: ['host'],
      users: ['me'],
      config: ['MaxStartups 10:30:100'],
    })
    const hostKey = shop.fingerprint('host')
    const identityFile = shop.file('me')
    target = { name: 'web', host: '127.0.0.1', port: sshd.port, user: 'root', identityFile, hostKey }
  })
  after(async () => {
    await sshd?.stop()
    shop.dispose()
  })

  async function reachAll(transport: Transport, targets: readonly Target[]): Promise<readonly string[]> {
    const connections = await Promise.all(targets.map((one) => transport.connect(one)))
    const said = await Promise.all(
      connections.map(async (connection, i) => text((await connection.start(`echo ${i}`)).stdout)),
    )
    await Promise.all(connections.map((connection) => connection.close()))
    return said
  }
  const named = (length: number) => Array.from({ length }, (_, i) => ({ ...target, name: `web${i}` }))
  const numbers = (length: number) => Array.from({ length }, (_, i) => `${i}\n`)

  for (const [name, count, make] of [
    ['ssh2', 100, () => sshTransport({ agent: false })],
    ['openssh', 40, () => opensshTransport({ agent: false })],
  ] as const)
    it(`are all connected over ${name} at once, through an sshd that drops many`, async () => {
      expect(await reachAll(make(), named(count))).to.deep.equal(numbers(count))
    })

  it('respects the limit of concurrent logins', async () => {
    const keys = ssh2.utils.generateKeyPairSync('ed25519')
    const hostKey = fingerprint(Buffer.from(keys.public.split(' ')[1] ?? '', 'base64'))
    let waiting = 0
    let most = 0
    const server = new ssh2.Server({ hostKeys: [keys.private] }, (client) => {
      waiting += 1
      most = Math.max(most, waiting)
      client.on('error', () => {})
      client.on('authentication', (auth) => setTimeout(() => auth.accept(), 5))
      client.on('ready', () => {
        waiting -= 1
      })
      client.on('session', (accept) =>
        accept().once('exec', (accepted, _reject, { command }) => {
          const channel = accepted()
          channel.write(`${command.slice(5)}\n`)
          channel.exit(0)
          channel.end()
        }),
      )
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    const port = typeof address === 'object' && address ? address.port : 0
    const targets = named(100).map((one) => ({ ...one, port, hostKey }))
    const said = await reachAll(sshTransport({ agent: false, concurrency: 7 }), targets)
    server.close()
    expect(said).to.deep.equal(numbers(100))
    expect(most).to.be.within(5, 7)
  })
})
