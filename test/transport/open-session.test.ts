import { expect } from 'chai'
import { Shell, sh } from '../../src/shell/sh.ts'
import { localConnection } from '../../src/transport/local.ts'
import { openSession } from '../../src/transport/session/open.ts'
import { wordsOf } from '../support/words.ts'
import { thrown } from './helpers.ts'

describe('opening a session', () => {
  const connection = localConnection()
  after(() => connection.close())

  it('reports a login that ends at once, with its output', async () => {
    const session = await openSession(connection, {
      host: 'web1',
      shell: 'sh -c "echo no account >&2; exit 1"',
    })
    const running = session.run([{ script: sh`:` }])
    expect(await wordsOf(() => running)).to.equal(`error: web1 gave no shell: exit status 1
   no account
   Log in manually: the account may be locked, or its shell is not a POSIX shell`)
    expect(await thrown(session.opened)).to.equal(await thrown(running))
    await session.close()
  })

  it('fails after the timeout of a silent login', async () => {
    const session = await openSession(connection, { host: 'web1', shell: 'sleep 60', timeout: 20 })
    expect(String(await thrown(session.run([{ script: sh`:` }])))).to.match(/web1 gave no shell/)
    await session.close()
  })

  it('passes the timeout factor and limits to every script', async () => {
    const said = sh`echo "$PROVISION_TIMEOUT_PERCENT $PROVISION_CONFIRM_SECONDS $PROVISION_CHECK_SECONDS"`
    const session = await openSession(connection, {
      host: 'web1',
      timeoutFactor: 2.5,
      limits: { confirm: 90_000, check: 20_000 },
    })
    const results = await session.run([{ script: said }, { script: said, mode: 'isolated' }])
    expect(results.map(({ stdout }) => String(stdout))).to.deep.equal(['250 90 20\n', '250 90 20\n'])
    await session.close()
  })

  it('multiplies the timeouts of scripts', async () => {
    const sleeps = { script: sh`sleep 1`, timeout: 1 } as const
    const session = await openSession(connection, { host: 'web1', timeoutFactor: 600_000 })
    expect((await session.run([sleeps]))[0]).to.include({ code: 0, timedOut: false })
    await session.close()
  })

  it('ignores the output of login scripts', async () => {
    const session = await openSession(connection, {
      host: 'web1',
      shell: 'sh -c "echo hello; echo hi >&2; exec sh"',
    })
    const [result] = await session.run([{ script: sh`echo a` }])
    expect([String(result?.stdout), String(result?.stderr)]).to.deep.equal(['a\n', ''])
    await session.close()
  })

  it('sends nothing of a trip with an invalid script', async () => {
    const session = await openSession(connection, { host: 'web1' })
    const trip = session.run([{ script: sh`kill $$`, input: Buffer.alloc(100_000) }, { script: Shell.raw('a\0b') }])
    expect(await thrown(trip)).to.be.instanceOf(TypeError)
    expect(await session.run([])).to.deep.equal([])
    expect(session.trips).to.equal(0)
    await session.run([{ script: sh`:` }])
    await session.close()
  })
})
