import { expect } from 'chai'
import { plain, showProblem } from '../../src/report/problem.ts'
import { sh } from '../../src/shell/sh.ts'
import { HostLocked, lockError } from '../../src/transport/session/lock.ts'
import { openSession } from '../../src/transport/session/open.ts'
import type { Session } from '../../src/transport/session/session.ts'
import type { Connection } from '../../src/transport/transport.ts'
import { wordsOf } from '../support/words.ts'
import { thrown } from './helpers.ts'
import { canBePrivate, type PrivateMachine, privateMachine } from './private-machine.ts'

describe('the lock of a host', () => {
  let machine: PrivateMachine
  let connection: Connection

  before(async function () {
    if (!canBePrivate()) return this.skip()
    machine = await privateMachine()
    connection = machine.as('root')
  })
  after(() => machine?.close())

  const take = (owner: string, over = connection): Promise<Session> =>
    openSession(over, { host: 'web1', lock: { owner, since: new Date('2026-05-04T03:02:01Z') } })
  const done = async (session: Session) => {
    await session.run([{ script: sh`:` }])
    await session.close()
  }

  it('blocks others while it is held, names the holder, and costs no trip', async () => {
    const ana = await take('ana@laptop (pid 1)')
    await ana.run([{ script: sh`:` }])
    expect(ana.trips).to.equal(1)
    const bob = await take('bob')
    const running = bob.run([{ script: sh`touch /run/bob` }])
    expect(String(await thrown(running))).to.match(
      /^Problem: web1 is locked by ana@laptop \(pid 1\) since 2026-05-04 \d\d:\d\d:01$/,
    )
    const refused = await thrown(bob.opened)
    expect(refused).to.equal(await thrown(running))
    if (!(refused instanceof HostLocked)) throw new Error(`not refused as held: ${refused}`)
    expect(refused.holder).to.match(/^ana@laptop \(pid 1\) since 2026-05-04 \d\d:\d\d:01$/)
    await bob.close()
    const [result] = await ana.run([{ script: sh`ls /run/bob` }])
    expect(result?.code).to.equal(2)
    await ana.close()
    await done(await take('bob'))
  })

  it('does not block sessions without a lock', async () => {
    const ana = await take('ana')
    await ana.opened
    await done(await openSession(connection, { host: 'web1' }))
    await ana.close()
  })

  it('is released when the holder was killed, whatever its scripts left running', async () => {
    const ana = await take('ana')
    const { pid } = await ana.opened
    await ana.run([{ script: sh`(exec sleep 1) >/dev/null 2>&1 &` }, { script: sh`sleep 1 &`, mode: 'isolated' }])
    process.kill(pid, 'SIGKILL')
    await thrown(ana.run([{ script: sh`:` }]))
    await done(await take('bob'))
  })

  it('is separate for each user other than root', async () => {
    const daemon = machine.as('daemon')
    const ana = await take('ana', daemon)
    await ana.opened
    expect(String(await thrown((await take('bob', daemon)).opened))).to.match(/web1 is locked by ana since/)
    const [result] = await ana.run([{ script: sh`rm /tmp/provision-$(id -u).lock` }])
    expect(result?.code).to.equal(0)
    await ana.close()
  })

  it('is rejected if the lock file is a link', async () => {
    const daemon = machine.as('daemon')
    const session = await openSession(daemon, { host: 'web1' })
    await session.run([{ script: sh`ln -s /etc/passwd /tmp/provision-$(id -u).lock` }])
    expect(
      await wordsOf(async () => (await take('ana', daemon)).opened),
    ).to.equal(`error: Cannot write the lock file /tmp/provision-1.lock on web1
   See \`ls -l /tmp/provision-1.lock; df /run /tmp\` there: it may be a link or another user's, or the disk full or read-only`)
    await session.run([{ script: sh`rm /tmp/provision-$(id -u).lock` }])
    await session.close()
  })

  it('is rejected without flock', async () => {
    const session = await openSession(connection, { host: 'web1' })
    const [hidden] = await session.run([{ script: sh`mount --bind /dev/null /usr/bin/flock` }])
    expect(hidden?.code, hidden?.stderr.toString()).to.equal(0)
    expect(await wordsOf(async () => (await take('ana')).opened)).to.equal(`error: There is no flock on web1
   Install util-linux`)
    await session.run([{ script: sh`umount /usr/bin/flock` }])
    await session.close()
  })

  it('stays with an ended run while its last command runs', () => {
    const since = '2026-05-04T03:02:01Z'
    const said = lockError('web1', `ending 4711 ${since} - ana@laptop (pid 1)`)
    expect(
      showProblem(said, plain),
    ).to.equal(`error: web1 still runs a command of ana@laptop (pid 1) since ${new Date(since).toLocaleString('sv')}
   its connection was dead and has been ended
   Run again when that command has ended.`)
  })
})
