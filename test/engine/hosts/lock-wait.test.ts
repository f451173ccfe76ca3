import { existsSync } from 'node:fs'
import { expect } from 'chai'
import { play } from '../../../src/model/playbook/play.ts'
import { file } from '../../../src/resources/files/file.ts'
import { ownRig, type Plays } from '../../support/rig.ts'

/** Longer than these tests take on any machine. */
const LONG = 3_600_000

describe('a host with the lock of another run', () => {
  const rig = ownRig({ private: true })
  const plays: Plays = (web) => [play('web', { hosts: web }, () => file(`${rig.root}/a`, 'x', rig.own))]
  const HELD = 'web1 is locked by ana@laptop (pid 1) since '

  it('fails at once unless the run waits', async () => {
    const ana = await rig.session('web1', 'ana@laptop (pid 1)')
    await ana.session.opened
    const { problems, events } = await rig.run(plays, { owner: 'bob' })
    expect(problems).to.have.length(1)
    expect(problems[0]).to.include(HELD)
    expect(events.filter(({ kind }) => kind === 'waiting')).to.deep.equal([])
    await ana.close()
  })

  it('is retried: the run reports the holder once, and starts when the lock is free', async () => {
    const ana = await rig.session('web1', 'ana@laptop (pid 1)')
    await ana.session.opened
    const waits: string[] = []
    let opened = 0
    const { problems, reported, events } = await rig.run(plays, {
      owner: 'bob',
      wait: LONG,
      on: (event) => {
        if (event.kind === 'waiting') waits.push(event.for)
      },
      opens: () => {
        opened++
        // The lock is held during the first two tries.
        if (opened === 3) void ana.close()
      },
    })
    expect(problems).to.deep.equal([])
    expect(reported).to.deep.equal(['web1 changed file a'])
    expect(waits).to.have.length(1)
    expect(waits[0]).to.include(`the lock: ${HELD}`).and.to.include('(at most 60 min 00 s)')
    expect(events.filter(({ kind }) => kind === 'connected')).to.have.length(1)
    expect(opened).to.be.at.least(3)
  })

  it('fails at the end of the waiting time', async () => {
    const ana = await rig.session('web1', 'ana@laptop (pid 1)')
    await ana.session.opened
    const { problems, events } = await rig.run(plays, { owner: 'bob', wait: 700 })
    expect(problems).to.have.length(1)
    expect(problems[0]).to.include(HELD)
    expect(events.filter(({ kind }) => kind === 'waiting')).to.have.length(1)
    await ana.close()
  })

  it('is not retried after a stop signal; nothing is changed', async () => {
    const ana = await rig.session('web1', 'ana@laptop (pid 1)')
    await ana.session.opened
    const stop = new AbortController()
    const { problems, summary } = await rig.run(plays, {
      owner: 'bob',
      wait: LONG,
      stop: stop.signal,
      on: ({ kind }) => {
        if (kind === 'waiting') stop.abort()
      },
    })
    expect(problems).to.deep.equal([])
    expect(summary.interrupted).to.equal(true)
    expect(summary.hosts[0]).to.include({ skipped: 1, unreachable: false, failed: 0 })
    expect(existsSync(`${rig.root}/a`)).to.equal(false)
    await ana.close()
  })
})
