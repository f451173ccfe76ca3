import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { expect } from 'chai'
import { sshTransport } from '../../src/transport/ssh2/transport.ts'
import type { Connection, Target } from '../../src/transport/transport.ts'
import { quickOnce } from './helpers.ts'
import { noSshd, Sshd, Workshop } from './sshd.ts'

describe('a command over SSH', () => {
  const shop = new Workshop()
  let sshd: Sshd
  let connection: Connection
  let target: Target
  before(async function () {
    const why = noSshd()
    if (why) {
      console.log(`    skipped: ${why}`)
      this.skip()
    }
    shop.key('host')
    shop.key('me')
    sshd = await Sshd.start({ workshop: shop, hostKeys: ['host'], users: ['me'], config: ['MaxSessions 3'] })
    const hostKey = shop.fingerprint('host')
    const identityFile = shop.file('me')
    target = { name: 'web1', host: '127.0.0.1', port: sshd.port, user: 'root', identityFile, hostKey }
    connection = await sshTransport({ agent: false }).connect(target)
  })
  after(async () => {
    await connection?.close()
    await sshd?.stop()
    shop.dispose()
  })

  it('has its own output, errors and status', async () => {
    const remote = await connection.start('echo out; echo err >&2; exit 3')
    expect(await Promise.all([text(remote.stdout), text(remote.stderr)])).to.deep.equal(['out\n', 'err\n'])
    expect(await remote.exit).to.deep.equal({ code: 3 })
  })

  it('reads its input to the end, byte for byte', async () => {
    const remote = await connection.start('sha256sum; cat >/dev/null')
    const bytes = Buffer.from(Array.from({ length: 100_000 }, (_, i) => i % 256))
    remote.stdin.end(bytes)
    const { createHash } = await import('node:crypto')
    expect(await text(remote.stdout)).to.contain(createHash('sha256').update(bytes).digest('hex'))
  })

  it('reports the signal that killed it', async () => {
    const remote = await connection.start('kill -TERM $$')
    expect(await remote.exit).to.deep.equal({ signal: 'SIGTERM' })
  })

  it('has ended even if its output is not read', async () => {
    const remote = await connection.start('echo out; exit 1')
    expect(await remote.exit).to.deep.equal({ code: 1 })
    expect(await text(remote.stdout)).to.equal('out\n')
  })

  it('has ended even if a daemon keeps its output open', async () => {
    const remote = await connection.start('sleep 60 & echo $!')
    const [pid] = await once(remote.stdout, 'data')
    expect(await remote.exit).to.deep.equal({ code: 0 })
    process.kill(Number(String(pid)))
  })

  it('may end before it has read all its input, without an error', async () => {
    const remote = await connection.start('exec head -c 1')
    remote.stdin.write(Buffer.alloc(5_000_000))
    expect(await remote.exit).to.deep.equal({ code: 0 })
    remote.stdin.write('more')
    remote.stdin.end()
    expect(await text(remote.stdout)).to.have.length(1)
  })

  it('waits for its reader', async () => {
    const remote = await connection.start('head -c 20000000 /dev/zero')
    const before = connection.traffic.received
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(connection.traffic.received - before).to.be.below(8_000_000)
    let length = 0
    for await (const chunk of remote.stdout) length += chunk.length
    expect(length).to.equal(20_000_000)
  })

  it('can be destroyed without an effect on the connection', async () => {
    const remote = await connection.start('exec cat')
    remote.destroy()
    expect(await remote.exit).to.deep.equal({})
    expect(await text((await connection.start('echo on')).stdout)).to.equal('on\n')
  })

  it('waits if the server allows fewer sessions', async () => {
    const remotes = Array.from({ length: 12 }, async (_, i) =>
      text((await connection.start(`echo ${i}; sleep 0.02`)).stdout),
    )
    expect(await Promise.all(remotes)).to.deep.equal(Array.from({ length: 12 }, (_, i) => `${i}\n`))
  })

  it('leaves nothing behind when the connection is closed, and cannot be started again', async () => {
    const own = await sshTransport({ agent: false }).connect(target)
    const remote = await own.start('exec cat')
    await own.close()
    expect((await remote.exit).lost).to.equal('we closed the connection')
    const error = await own.start('true').catch((error: Error) => error.message)
    expect(error).to.contain('we closed the connection')
  })

  it('needs less than 40 ms per round trip', async () => {
    const remote = await connection.start('exec cat')
    await quickOnce(async () => {
      remote.stdin.write('x')
      await once(remote.stdout, 'data')
    })
    remote.stdin.end()
  })
})
