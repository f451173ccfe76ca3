import { expect } from 'chai'
import { sh } from '../../src/shell/sh.ts'
import { openSession, type SessionOptions } from '../../src/transport/session/open.ts'
import type { Session } from '../../src/transport/session/session.ts'
import { sshTransport } from '../../src/transport/ssh2/transport.ts'
import type { Connection } from '../../src/transport/transport.ts'
import { thrown } from './helpers.ts'
import { canBePrivate, type PrivateMachine, privateMachine } from './private-machine.ts'
import { noSshd, Sshd, Workshop } from './sshd.ts'

/** Real sshds on a machine with its own /run. A dead client is one that announced keepalive messages and sends none. */
describe('the lock of a host, held over a connection', () => {
  const shop = new Workshop()
  const open: (() => Promise<void>)[] = []
  let machine: PrivateMachine
  let sshd: Sshd

  before(async function () {
    if (!canBePrivate() || noSshd()) return this.skip()
    machine = await privateMachine()
    shop.key('host')
    shop.key('me')
    sshd = await Sshd.start({
      workshop: shop,
      hostKeys: ['host'],
      users: ['me'],
      config: [`ForceCommand exec ${machine.enter} sh -c "$SSH_ORIGINAL_COMMAND"`],
    })
  })
  afterEach(async () => {
    for (const close of open.splice(0).reverse()) await close()
  })
  after(async () => {
    await sshd?.stop()
    await machine?.close()
    shop.dispose()
  })

  /** A session whose client sends keepalive messages at one interval and announces another. */
  async function holder(keepalives: { readonly sent: number; readonly promised?: number }): Promise<Session> {
    const transport = sshTransport({ agent: false, keepalive: { interval: keepalives.sent, misses: 1000 } })
    const connection = await transport.connect({
      name: 'web1',
      host: '127.0.0.1',
      port: sshd.port,
      user: 'root',
      identityFile: shop.file('me'),
      hostKey: shop.fingerprint('host'),
    })
    open.push(() => connection.close())
    const { promised } = keepalives
    const announced: Connection = {
      traffic: connection.traffic,
      start: (command) => connection.start(command),
      close: () => connection.close(),
      ...(promised !== undefined && { keepaliveInterval: promised }),
    }
    return take('ana', announced)
  }
  async function take(
    owner: string,
    connection: Connection,
    lock: Partial<SessionOptions['lock']> = {},
  ): Promise<Session> {
    const session = await openSession(connection, { host: 'web1', lock: { owner, silence: 400, ...lock } })
    open.push(() => session.close())
    return session
  }
  const NEVER = 3_600_000

  it('is taken over from a silent client that sent keepalive messages, after its running command', async () => {
    const ana = await holder({ sent: NEVER, promised: 20 })
    await ana.opened
    const running = ana.run([{ script: sh`sleep 1.2; echo end >/run/ana`, mode: 'isolated' }])
    running.catch(() => {})
    await silence(700)
    const bob = await take('bob', machine.as('root'))
    const [result] = await bob.run([{ script: sh`cat /run/ana /run/provision.lock` }])
    expect(result?.stdout.toString()).to.match(/^end\n\d+ \S+ -@\S+ bob\n$/)
    expect((await bob.opened).warnings.join()).to.contain('web1 was locked by a run whose connection was dead')
    expect(String(await thrown(running))).to.contain('lost web1: the host closed the connection')
  })

  const alive: Readonly<Record<string, Parameters<typeof holder>[0]>> = {
    'a client that keeps its promise': { sent: 100, promised: 100 },
    'a client whose next beat is not due': { sent: NEVER, promised: 5_000 },
    'a client that promised nothing': { sent: NEVER },
  }
  for (const [who, beats] of Object.entries(alive))
    it(`stays with ${who}`, async () => {
      const ana = await holder(beats)
      await ana.opened
      await silence(1_300)
      const bob = await take('bob', machine.as('root'))
      expect(String(await thrown(bob.opened))).to.match(/^Problem: web1 is locked by ana since/)
      const [result] = await ana.run([{ script: sh`echo on` }])
      expect(result?.stdout.toString()).to.equal('on\n')
    })

  it('stays with its holder if the lock file names another process with a dead connection', async () => {
    const idle = await holder({ sent: NEVER, promised: 20 })
    await idle.run([{ script: sh`mv /run/provision.lock /run/old` }])
    const ana = await take('ana', machine.as('root'))
    await ana.run([{ script: sh`cat /run/old >/run/provision.lock` }])
    await silence(700)
    const bob = await take('bob', machine.as('root'))
    expect(String(await thrown(bob.opened))).to.match(/^Problem: web1 is locked by/)
    expect((await idle.run([{ script: sh`:` }]))[0]?.code).to.equal(0)
    const [result] = await ana.run([{ script: sh`rm /run/old; echo on` }])
    expect(result?.stdout.toString()).to.equal('on\n')
  })
})

/** Sends nothing for this long. */
function silence(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}
