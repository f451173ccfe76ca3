import { expect } from 'chai'
import { ReconnectingSession } from '../../../src/engine/hosts/reconnecting-session.ts'
import type { HostScript, OpenedSession } from '../../../src/engine/hosts/scripts.ts'
import { sh } from '../../../src/shell/sh.ts'
import { ConnectionLost, Unreachable } from '../../../src/transport/errors.ts'
import type { Result, Session } from '../../../src/transport/session/session.ts'
import { wordsOf } from '../../support/words.ts'
import { thrown } from '../../transport/helpers.ts'

/** test/integration/reboot.test.ts covers a real host. This test covers states that a real host has only by chance. */
describe('a session that reconnects after reboots', () => {
  const result = (stdout: string, code = 0): Result => ({
    code,
    stdout: Buffer.from(stdout),
    stderr: Buffer.alloc(0),
    skipped: false,
    timedOut: false,
  })
  const asks = ({ script }: HostScript) => script.text.includes('boot_id')
  const reboot: HostScript = { script: sh`reboot`, reboots: 3_000 }

  /** A host between two reboots. */
  class Boot {
    readonly ran: string[] = []
    closed = 0
    trips = 0
    readonly #name: string
    readonly #states: string[]
    #gone: boolean
    #isLeaving = false

    /** @param states the states that it reports one after another; the last one stays */
    constructor(name: string, states: readonly string[] = ['running'], gone = false) {
      this.#name = name
      this.#states = [...states]
      this.#gone = gone
    }

    get session(): OpenedSession {
      const run = async (scripts: readonly HostScript[]) => {
        if (this.#gone) throw new ConnectionLost('web1', 'its connection ended')
        this.trips++
        return scripts.map((one) => {
          if (!asks(one)) this.ran.push(one.script.text)
          if (this.#isLeaving) this.#gone = true
          // It still answers once after the reboot.
          if (one.script.text === 'reboot') this.#isLeaving = true
          const state = this.#states.length > 1 ? this.#states.shift() : this.#states[0]
          return asks(one) ? result(`${this.#name}\n${state}\n`) : result('')
        })
      }
      const owner = this
      const session: Session = {
        opened: Promise.resolve({ pid: 1, warnings: [] }),
        run,
        get trips() {
          return owner.trips
        },
        traffic: { sent: 10, received: 20 },
        close: async () => {},
      }
      const close = async () => {
        this.closed++
      }
      return { session, close }
    }
  }

  const lasting = (first: Boot, ...later: readonly (Boot | Error)[]) => {
    const next = [...later]
    return new ReconnectingSession('web1', first.session, async () => {
      const one = next.length > 1 ? next.shift() : next[0]
      if (!(one instanceof Boot)) throw one
      return one.session
    })
  }

  it('continues in the next boot with the steps after the reboot and with requests made meanwhile', async () => {
    const [first, second] = [new Boot('a'), new Boot('b', ['starting', 'running'])]
    const session = lasting(first, new Error('it is held by another run'), second)
    const [results] = await Promise.all([
      session.run([{ script: sh`before` }, reboot, { script: sh`behind` }], { stopAtFailure: true }),
      session.run([{ script: sh`of others` }]),
    ])
    expect(results.map(({ code }) => code)).to.deep.equal([0, 0, 0])
    expect([first.ran, second.ran]).to.deep.equal([
      ['before', 'reboot'],
      ['behind', 'of others'],
    ])
    await session.close()
    expect([first.closed, second.closed]).to.deep.equal([1, 1])
    expect(session.trips).to.equal(first.trips + second.trips)
    expect(session.traffic).to.deep.equal({ sent: 20, received: 40 })
  })

  it('is released also if its connection cannot be closed, and opens again', async () => {
    const second = new Boot('b')
    const broken = { ...new Boot('a').session, close: () => Promise.reject(new Error('it hangs')) }
    const session = new ReconnectingSession('web1', broken, async () => second.session)
    await session.release()
    await session.run([{ script: sh`next` }])
    expect(second.ran).to.deep.equal(['next'])
  })

  it('retries many times without a warning of Node.js', async () => {
    const warnings: string[] = []
    const hear = (warning: Error) => warnings.push(warning.message)
    process.on('warning', hear)
    try {
      const refused = Array.from({ length: 12 }, () => new Error('connection refused'))
      await lasting(new Boot('a'), ...refused, new Boot('b')).run([{ ...reboot, reboots: 600_000 }])
      await new Promise((done) => setImmediate(done))
    } finally {
      process.off('warning', hear)
    }
    expect(warnings).to.deep.equal([])
  })

  it('does not reboot after a failure', async () => {
    const only = new Boot('a')
    const failing: OpenedSession['session'] = {
      ...only.session.session,
      run: async (scripts) => scripts.map(() => result('', 1)),
    }
    const held = new ReconnectingSession('web1', { session: failing, close: async () => {} }, async () => only.session)
    const results = await held.run([{ script: sh`before` }, reboot], { stopAtFailure: true })
    expect(results.map(({ code, skipped }) => [code, skipped])).to.deep.equal([
      [1, false],
      [-1, true],
    ])
    expect(only.ran).to.deep.equal([])
  })

  it('stops waiting for a host that comes back with another key', async () => {
    const refusal = new Unreachable('The host key of web1 has changed', { reason: 'host-key' })
    // Waiting would last an hour, longer than any test timeout.
    const never = { ...reboot, reboots: 3_600_000 }
    expect(await thrown(lasting(new Boot('a'), refusal).run([never]))).to.equal(refusal)
  })

  it('fails with the last connection error if the host does not come back', async () => {
    const session = lasting(new Boot('a'), new Error('no route'))
    const problem = await thrown(session.run([{ ...reboot, reboots: 600 }]))
    expect(problem).to.be.instanceOf(Unreachable)
    expect(
      await wordsOf(() => Promise.reject(problem)),
    ).to.equal(`error: lost web1: it did not come back within 0.60 s of its reboot
   web1: no route
   Look at its console. When it is up, the same command goes on from there.`)
  })

  it('fails if the host does not finish its boot, and keeps the connection', async () => {
    const second = new Boot('b', ['starting'])
    const session = lasting(new Boot('a'), second)
    expect(
      await wordsOf(() => session.run([{ ...reboot, reboots: 600 }])),
    ).to.equal(`error: web1 has rebooted and is not done with booting after 0.60 s
   it is starting
   See with \`systemctl list-jobs\` on the host what it waits for.`)
    await session.run([{ script: sh`look` }])
    expect(second.ran).to.deep.equal(['look'])
  })

  it('fails if the host does not reboot', async () => {
    const session = lasting(new Boot('a'), new Boot('a'))
    expect(
      await wordsOf(() => session.run([{ ...reboot, reboots: 600 }])),
    ).to.equal(`error: web1 was reported to reboot and still runs 0.60 s later
   See with \`systemctl list-jobs\` on the host what it waits for.`)
  })
})
