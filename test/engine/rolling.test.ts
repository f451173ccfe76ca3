import { existsSync } from 'node:fs'
import { expect } from 'chai'
import type { RunEvent } from '../../src/model/event.ts'
import type { Host } from '../../src/model/host.ts'
import { type PlayOptions, play } from '../../src/model/play.ts'
import { probe } from '../../src/model/probe.ts'
import { command } from '../../src/resources/command.ts'
import { file } from '../../src/resources/file.ts'
import type { AbsolutePath } from '../../src/resources/paths.ts'
import { sh } from '../../src/shell/sh.ts'
import { type Options, Rig } from '../support/rig.ts'

describe('a play over many hosts', () => {
  let rig: Rig
  let root: AbsolutePath
  const names = ['web1', 'web2', 'web3', 'web4', 'web5']

  before(async () => {
    rig = await Rig.open()
  })
  after(() => rig?.close())
  beforeEach(() => {
    root = rig.empty()
  })

  const done = () => names.filter((name) => existsSync(`${root}/${name}`))
  const skipped = (events: readonly RunEvent[]) =>
    events.flatMap((event) =>
      event.kind === 'skipped' ? [[event.play, event.hosts.join(' '), event.why]] : [],
    )
  const broken = command('break', sh`exit 1`, { creates: '/nonexistent' })

  /** Two plays; the hosts named fail in the first. */
  const runWith = (
    how: Omit<PlayOptions<Host>, 'hosts'>,
    failing: readonly string[] = [],
    options: Options = {},
  ) =>
    rig.run(
      (web) => [
        play('first', { hosts: web, ...how }, ({ name }) => [
          failing.includes(name) && broken,
          file(`${root}/${name}`, 'a', rig.own),
        ]),
        play('second', { hosts: web }, ({ name }) => file(`${root}/second-${name}`, 'a', rig.own)),
      ],
      { names, ...options },
    )

  describe('with a window', () => {
    const inFlight = (events: readonly RunEvent[]) => {
      let now = 0
      return events.flatMap(({ kind }) => (kind === 'turn' ? [++now] : kind === 'turned' ? [now--] : []))
    }

    it('has as many in flight as it says, and begins the next as soon as one is done', async () => {
      const slow = ({ name }: Host) => [
        name === 'web1' &&
          command('slow', sh`while [ ! -e ${`${root}/web5`} ]; do sleep 0.02; done`, {
            creates: '/nonexistent-1',
          }),
        name !== 'web1' && file(`${root}/${name}`, 'a', rig.own),
      ]
      // In batches of two, the last would never come: the first waits for it.
      const { events } = await rig.run((web) => [play('web', { hosts: web, window: 2 }, slow)], { names })
      expect(Math.max(...inFlight(events))).to.equal(2)
      expect(done()).to.deep.equal(names.slice(1))
    })

    it('takes a share of the hosts, and at least one', async () => {
      const most = async (window: '40%' | '1%') => {
        const { events } = await rig.run(
          (web) => [
            play('web', { hosts: web, window }, ({ name }) => file(`${root}/${window}${name}`, 'a', rig.own)),
          ],
          { names },
        )
        return Math.max(...inFlight(events))
      }
      expect([await most('40%'), await most('1%')]).to.deep.equal([2, 1])
    })

    it('begins the next only when the one before is healthy, too', async () => {
      const healthy = ({ name }: Host) =>
        probe('answers', name === 'web2' ? sh`false` : sh`true`, { within: 0 })
      const { events } = await runWith({ window: 1, healthy })
      expect(done()).to.deep.equal(['web1', 'web2'])
      expect(skipped(events)).to.deep.equal([['first', 'web3 web4 web5', 'web2 failed in this play']])
    })
  })

  describe('of which some fail', () => {
    it('does not stop the others of a batch', async () => {
      await runWith({ serial: 3 }, ['web1'])
      expect(done()).to.deep.equal(['web2', 'web3'])
    })

    it('goes on until more have failed than may', async () => {
      await runWith({ serial: 1, maxFailures: 1 }, ['web1'])
      expect(done()).to.deep.equal(['web2', 'web3', 'web4', 'web5'])
      root = rig.empty()
      const { events } = await runWith({ window: 1, maxFailures: '20%' }, ['web1', 'web3'])
      expect(done()).to.deep.equal(['web2'])
      expect(skipped(events)).to.deep.equal([['first', 'web4 web5', 'web1, web3 failed in this play']])
    })

    it('counts one that cannot be reached', async () => {
      const { events } = await runWith({ window: 1, maxFailures: 1 }, ['web3'], { dead: 'web1' })
      expect(done()).to.deep.equal(['web2'])
      expect(skipped(events)).to.have.length(1)
    })

    it('leaves hosts that were not begun alone in later plays, and goes on with the others', async () => {
      const { summary } = await runWith({ serial: 1 }, ['web2'])
      expect(names.map((name) => existsSync(`${root}/second-${name}`))).to.deep.equal([
        true,
        false,
        false,
        false,
        false,
      ])
      expect(summary.hosts.map(({ skipped }) => skipped)).to.deep.equal([0, 1, 2, 2, 2])
    })

    it('ends the whole run where any failure stops it, when what is in hand is done', async () => {
      const { events } = await runWith({ serial: 2, anyFailureStops: true }, ['web1'])
      expect(done()).to.deep.equal(['web2'])
      expect(skipped(events)).to.deep.equal([
        ['first', 'web3 web4 web5', 'web1 failed in "first", which ends the run'],
        ['second', names.join(' '), 'web1 failed in "first", which ends the run'],
      ])
    })
  })

  it('begins nothing else when it is stopped, and tells so of each host', async () => {
    const stop = new AbortController()
    const { summary } = await runWith({ serial: 1 }, [], {
      stop: stop.signal,
      on: (event) => {
        if (event.kind === 'applying' && event.host === 'web2') stop.abort()
      },
    })
    expect(done()).to.deep.equal(['web1', 'web2'])
    expect(summary.interrupted).to.equal(true)
    expect(summary.hosts.map(({ skipped }) => skipped)).to.deep.equal([1, 1, 2, 2, 2])
  })

  it('is refused when its numbers mean nothing', async () => {
    const refused = (how: Omit<PlayOptions<Host>, 'hosts'>) => () =>
      play('web', { hosts: { hosts: [] }, ...how }, () => [])
    expect(refused({ serial: 1, window: 1 })).to.throw(TypeError, 'serial and window')
    expect(refused({ window: 0 })).to.throw(TypeError, 'window should be a whole number ≥ 1')
    expect(refused({ maxFailures: -1 })).to.throw(TypeError, 'maxFailures should be')
    expect(refused({ serial: 'half%' as '5%' })).to.throw(TypeError, 'serial should be')
  })
})
