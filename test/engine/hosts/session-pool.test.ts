import { expect } from 'chai'
import { sessionPool } from '../../../src/engine/hosts/session-wrappers.ts'
import type { Host } from '../../../src/model/inventory/host.ts'
import { sh } from '../../../src/shell/sh.ts'
import type { Session } from '../../../src/transport/session/session.ts'
import { ownRig } from '../../support/rig.ts'

describe('pooled sessions', () => {
  const rig = ownRig()
  const host: Host = { name: 'web1', group: 'web', address: '127.0.0.1' }

  it('are reused after release, unless they have failed', async () => {
    const sessions: Session[] = []
    let closed = 0
    const { open, close } = sessionPool(async (one, options) => {
      const opened = await rig.open(one, options)
      sessions.push(opened.session)
      const leave = async () => {
        closed++
        await opened.close()
      }
      return { ...opened, close: leave }
    })
    const ask = async () => {
      const { session, close: letGo } = await open(host, { lock: false })
      try {
        return (await session.run([{ script: sh`echo one` }]))[0]?.stdout.toString()
      } finally {
        await letGo()
        await letGo()
      }
    }
    expect([await ask(), await ask(), sessions.length, closed]).to.deep.equal(['one\n', 'one\n', 1, 0])

    // The end of the session is not noticed, as on a real host.
    await sessions[0]?.close()
    expect(await ask().catch(() => 'lost')).to.equal('lost')
    expect(closed).to.equal(1)
    expect([await ask(), sessions.length]).to.deep.equal(['one\n', 2])

    // Two concurrent requests open two sessions.
    const both = await Promise.all([open(host, { lock: false }), open(host, { lock: false })])
    await Promise.all(both.map((one) => one.close()))
    expect(sessions.length).to.equal(3)
    await close()
    expect(closed).to.equal(3)
  })
})
