import { expect } from 'chai'
import { sh } from '../../src/shell/sh.ts'
import { openSession } from '../../src/transport/open-session.ts'
import type { Session } from '../../src/transport/session.ts'
import type { Link } from '../../src/transport/wire.ts'
import { thrown } from './helpers.ts'
import { canBePrivate, type PrivateMachine, privateMachine } from './private-machine.ts'

describe('the lock of a host', () => {
  let machine: PrivateMachine
  let link: Link

  before(async function () {
    if (!canBePrivate()) return this.skip()
    machine = await privateMachine()
    link = machine.as('root')
  })
  after(() => machine?.close())

  const take = (owner: string, over = link): Promise<Session> =>
    openSession(over, { host: 'web1', lock: { owner, since: new Date('2026-05-04T03:02:01Z') } })
  const done = async (session: Session) => {
    await session.run([{ script: sh`:` }])
    await session.close()
  }

  it('keeps others out while it is held, says who holds it, and costs no trip', async () => {
    const ana = await take('ana@laptop (pid 1)')
    await ana.run([{ script: sh`:` }])
    expect(ana.trips).to.equal(1)
    const bob = await take('bob')
    const running = bob.run([{ script: sh`touch /run/bob` }])
    expect(String(await thrown(running))).to.match(
      /^Problem: web1 is held by ana@laptop \(pid 1\) since 2026-05-04 \d\d:\d\d:01$/,
    )
    expect(await thrown(bob.opened)).to.equal(await thrown(running))
    await bob.close()
    const [result] = await ana.run([{ script: sh`ls /run/bob` }])
    expect(result?.code).to.equal(2)
    await ana.close()
    await done(await take('bob'))
  })

  it('does not keep out who only looks', async () => {
    const ana = await take('ana')
    await ana.opened
    await done(await openSession(link, { host: 'web1' }))
    await ana.close()
  })

  it('is free when the holder was killed, whatever its scripts left running', async () => {
    const ana = await take('ana')
    const { pid } = await ana.opened
    await ana.run([
      { script: sh`(exec sleep 1) >/dev/null 2>&1 &` },
      { script: sh`sleep 1 &`, mode: 'isolated' },
    ])
    process.kill(pid, 'SIGKILL')
    await thrown(ana.run([{ script: sh`:` }]))
    await done(await take('bob'))
  })

  it('is one of its own for who is not root', async () => {
    const nobody = machine.as('daemon')
    const ana = await take('ana', nobody)
    await ana.opened
    expect(String(await thrown((await take('bob', nobody)).opened))).to.match(/web1 is held by ana since/)
    const [result] = await ana.run([{ script: sh`rm /tmp/provision-$(id -u).lock` }])
    expect(result?.code).to.equal(0)
    await ana.close()
  })

  it('is refused where its file is another one', async () => {
    const daemon = machine.as('daemon')
    const session = await openSession(daemon, { host: 'web1' })
    await session.run([{ script: sh`ln -s /etc/passwd /tmp/provision-$(id -u).lock` }])
    expect(String(await thrown((await take('ana', daemon)).opened))).to.match(
      /cannot write \/tmp\/provision-1.lock on web1/,
    )
    await session.run([{ script: sh`rm /tmp/provision-$(id -u).lock` }])
    await session.close()
  })
})
