import { expect } from 'chai'
import { sh } from '../../src/shell/sh.ts'
import { Clock } from '../../src/transport/clock.ts'
import { openSession } from '../../src/transport/session/open.ts'
import { sshTransport } from '../../src/transport/ssh2/transport.ts'
import { noSshd, Sshd, Workshop } from './sshd.ts'

/** Blocks this process. */
function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

describe('the clock of limits', () => {
  it('expires a limit after its time and not before', async () => {
    const began = performance.now()
    await new Clock().wait(600)
    expect(performance.now() - began).to.be.at.least(590)
  })

  it('does not count time in which the process was blocked, unlike a timer', async () => {
    const expired = { limit: false, timer: false }
    const limit = new Clock().limit({
      ms: 60_000,
      expire: () => {
        expired.limit = true
      },
    })
    const short = new Clock().limit({
      ms: 900,
      expire: () => {
        expired.limit = true
      },
    })
    setTimeout(() => {
      expired.timer = true
    }, 900)
    block(2_000)
    await new Promise((resolve) => setTimeout(resolve, 10))
    expect(expired).to.deep.equal({ limit: false, timer: true })
    limit.end()
    short.end()
  })

  it('restarts a limit on progress', async () => {
    const clock = new Clock()
    let bytes = 0
    let expired = false
    const limit = clock.limit({
      ms: 1_000,
      progress: () => bytes,
      expire: () => {
        expired = true
      },
    })
    for (let i = 0; i < 10; i++) {
      bytes++
      await clock.wait(250)
    }
    expect(expired).to.equal(false)
    while (!expired) await clock.wait(250)
    limit.end()
  })

  it('does not count while a limit is paused', async () => {
    const clock = new Clock()
    let expired = false
    const limit = clock.limit({
      ms: 500,
      expire: () => {
        expired = true
      },
    })
    limit.pause()
    await clock.wait(1_500)
    expect(expired).to.equal(false)
    limit.restart()
    while (!expired) await clock.wait(250)
  })
})

describe('a controller that is suspended for longer than every limit', () => {
  const shop = new Workshop()
  let sshd: Sshd
  before(async function () {
    if (noSshd()) return this.skip()
    shop.key('host')
    shop.key('me')
    sshd = await Sshd.start({ workshop: shop, hostKeys: ['host'], users: ['me'] })
  })
  after(async () => {
    await sshd?.stop()
    shop.dispose()
  })

  it('reports no healthy host as unreachable', async () => {
    const LIMIT = 8_000
    const transport = sshTransport({
      agent: false,
      connectTimeout: LIMIT,
      loginTimeout: LIMIT,
      keepalive: { interval: LIMIT / 4, misses: 3 },
    })
    const connecting = transport.connect({
      name: 'web1',
      host: '127.0.0.1',
      port: sshd.port,
      user: 'root',
      identityFile: shop.file('me'),
      hostKey: shop.fingerprint('host'),
    })
    // The connection has started and is answered while this process is blocked.
    await new Promise((resolve) => setTimeout(resolve, 50))
    block(LIMIT + 2_000)
    const connection = await connecting
    const session = await openSession(connection, { host: 'web1', timeout: LIMIT })
    block(LIMIT + 2_000)
    await session.opened
    block(LIMIT + 2_000)
    const running = session.run([{ script: sh`echo there`, mode: 'isolated', timeout: LIMIT }])
    await new Promise((resolve) => setTimeout(resolve, 50))
    block(LIMIT + 2_000)
    const [result] = await running
    expect({ said: result?.stdout.toString(), late: result?.timedOut }).to.deep.equal({
      said: 'there\n',
      late: false,
    })
    await session.close()
    await connection.close()
  })
})
