import { existsSync, rmSync } from 'node:fs'
import { expect } from 'chai'
import type { RunEvent } from '../../../src/model/event.ts'
import type { Host } from '../../../src/model/inventory/host.ts'
import { type PlayOptions, play } from '../../../src/model/playbook/play.ts'
import { probe } from '../../../src/model/playbook/probe.ts'
import { after as asked, endHost } from '../../../src/model/playbook/steps.ts'
import { Problem } from '../../../src/model/problem.ts'
import { ask, askHost } from '../../../src/model/resource/question.ts'
import { known, read } from '../../../src/model/resource/read.ts'
import { resource } from '../../../src/model/resource/step.ts'
import { unfinishedHosts } from '../../../src/report/recap.ts'
import { file } from '../../../src/resources/files/file.ts'
import { command } from '../../../src/resources/system/command.ts'
import { sh } from '../../../src/shell/sh.ts'
import { type Options, ownRig } from '../../support/rig.ts'

describe('a play over many hosts', () => {
  const rig = ownRig()
  const names = ['web1', 'web2', 'web3', 'web4', 'web5']

  const done = () => names.filter((name) => existsSync(`${rig.root}/${name}`))
  const skipped = (events: readonly RunEvent[]) =>
    events.flatMap((event) => (event.kind === 'skipped' ? [[event.play, event.hosts.join(' '), event.why]] : []))
  const broken = command('break', sh`exit 1`, { creates: '/nonexistent' })

  /** Two plays; the hosts in `failing` fail in the first one. */
  const runWith = (how: Omit<PlayOptions<Host>, 'hosts'>, failing: readonly string[] = [], options: Options = {}) =>
    rig.run(
      (web) => [
        play('first', { hosts: web, ...how }, ({ name }) => [
          failing.includes(name) && broken,
          file(`${rig.root}/${name}`, 'a', rig.own),
        ]),
        play('second', { hosts: web }, ({ name }) => file(`${rig.root}/second-${name}`, 'a', rig.own)),
      ],
      { names, ...options },
    )

  describe('with isIdle', () => {
    /** @param says the answer of a host; the first one is number 1 */
    const resting = (says: (asked: number) => boolean) => {
      let asked = 0
      return ask(
        'at rest?',
        read(sh`true`, () => says(++asked)),
      )
    }
    const turns = (events: readonly RunEvent[]) =>
      events.flatMap((event) =>
        (event.kind === 'turn' || event.kind === 'turnEnd') && event.play === 'first' ? [event.kind] : [],
      )

    it('starts all hosts at once while all of them are idle, even with batches', async () => {
      const { events } = await runWith({ serial: 1, isIdle: resting(() => true) })
      expect(turns(events).slice(0, 5)).to.deep.equal(Array(5).fill('turn'))
      expect(done()).to.deep.equal(names)
    })

    it('keeps its batches if hosts have started to serve traffic since the plan', async () => {
      const { events } = await runWith({ serial: 1, isIdle: resting((asked) => asked <= names.length) })
      expect(turns(events).slice(0, 4)).to.deep.equal(['turn', 'turnEnd', 'turn', 'turnEnd'])
    })

    it('asks no host a second time if none has a change', async () => {
      await runWith({ serial: 1 })
      let last = 0
      const counted = resting((asked) => {
        last = asked
        return true
      })
      await runWith({ serial: 1, isIdle: counted })
      expect(last).to.equal(names.length)
    })

    it('keeps its batches if one of them may serve traffic', async () => {
      const { events } = await runWith({ serial: 1, isIdle: resting((asked) => asked > 1) })
      expect(turns(events).slice(0, 4)).to.deep.equal(['turn', 'turnEnd', 'turn', 'turnEnd'])
    })
  })

  describe('with maxUnavailable', () => {
    const inFlight = (events: readonly RunEvent[]) => {
      let now = 0
      return events.flatMap(({ kind }) => (kind === 'turn' ? [++now] : kind === 'turnEnd' ? [now--] : []))
    }

    it('changes as many hosts at a time as declared, and starts the next when one is done', async () => {
      const slow = ({ name }: Host) => [
        name === 'web1' &&
          command('slow', sh`while [ ! -e ${`${rig.root}/web5`} ]; do sleep 0.02; done`, {
            creates: '/nonexistent-1',
          }),
        name !== 'web1' && file(`${rig.root}/${name}`, 'a', rig.own),
      ]
      // In batches of two this would hang: web1 waits for web5.
      const { events } = await rig.run((web) => [play('web', { hosts: web, maxUnavailable: 2 }, slow)], {
        names,
      })
      expect(Math.max(...inFlight(events))).to.equal(2)
      expect(done()).to.deep.equal(names.slice(1))
    })

    it('accepts a percentage of the hosts, at least one', async () => {
      const most = async (maxUnavailable: '40%' | '1%') => {
        const { events } = await rig.run(
          (web) => [
            play('web', { hosts: web, maxUnavailable }, ({ name }) =>
              file(`${rig.root}/${maxUnavailable}${name}`, 'a', rig.own),
            ),
          ],
          { names },
        )
        return Math.max(...inFlight(events))
      }
      expect([await most('40%'), await most('1%')]).to.deep.equal([2, 1])
    })

    it('starts the next only when the one before is ready', async () => {
      const readiness = ({ name }: Host) => probe('answers', name === 'web2' ? sh`false` : sh`true`, { timeout: 0 })
      const { events } = await runWith({ maxUnavailable: 1, readiness })
      expect(done()).to.deep.equal(['web1', 'web2'])
      expect(skipped(events)).to.deep.equal([['first', 'web3 web4 web5', 'web2 failed in this play']])
    })
  })

  describe('with failures', () => {
    it('continues with the other hosts of the batch', async () => {
      await runWith({ serial: 3 }, ['web1'])
      expect(done()).to.deep.equal(['web2', 'web3'])
    })

    it('shows the other texts if those of one host cannot be read', async () => {
      const changed = resource('text', {
        id: (name: string) => name,
        affects: 'itself',
        read: () => known(undefined),
        diff: (name) => ({
          action: 'change',
          fields: [],
          texts: [
            {
              path: '/x',
              before: read(name === 'web1' ? sh`kill -9 $$` : sh`echo old`, (a) => a.stdout),
              after: 'new',
            },
          ],
        }),
        apply: () => [],
      })
      const { reported, summary } = await rig.run((web) => [play('web', { hosts: web }, ({ name }) => changed(name))], {
        names: ['web1', 'web2'],
        mode: 'plan',
        diff: true,
      })
      expect(reported).to.deep.equal(['web2 planned text web2'])
      expect(summary.hosts.map(({ unreachable, changed }) => [unreachable, changed])).to.deep.equal([
        [true, 0],
        [false, 1],
      ])
    })

    it('continues until more than maxFailures have failed', async () => {
      await runWith({ serial: 1, maxFailures: 1 }, ['web1'])
      expect(done()).to.deep.equal(['web2', 'web3', 'web4', 'web5'])
      rig.renew()
      const { events } = await runWith({ maxUnavailable: 1, maxFailures: '20%' }, ['web1', 'web3'])
      expect(done()).to.deep.equal(['web2'])
      expect(skipped(events)).to.deep.equal([['first', 'web4 web5', 'web1, web3 failed in this play']])
    })

    it('counts an unreachable host', async () => {
      const { events } = await runWith({ maxUnavailable: 1, maxFailures: 1 }, ['web3'], { dead: 'web1' })
      expect(done()).to.deep.equal(['web2'])
      expect(skipped(events)).to.have.length(1)
    })

    it('skips no host without a change, and says how to exclude an unreachable host', async () => {
      const all = (options: Options) =>
        rig.run(
          (web) => [
            play('first', { hosts: web, serial: 1 }, ({ name }) => file(`${rig.root}/${name}`, 'a', rig.own)),
            play('second', { hosts: web }, ({ name }) => [
              file(`${rig.root}/${name}`, 'a', rig.own),
              ['web3', 'web4'].includes(name) && file(`${rig.root}/second-${name}`, 'a', rig.own),
            ]),
          ],
          { names, ...options },
        )
      await all({ limit: ({ name }) => ['web2', 'web3'].includes(name) })
      rmSync(`${rig.root}/second-web3`)
      const planned = await all({ dead: 'web1', mode: 'plan' })
      const { events, summary } = await all({ dead: 'web1' })
      expect(skipped(planned.events)).to.deep.equal(skipped(events))
      expect(planned.summary.hosts.map(({ ok, changed, skipped }) => [ok, changed, skipped])).to.deep.equal(
        summary.hosts.map(({ ok, changed, skipped }) => [ok, changed, skipped]),
      )
      expect(skipped(events)).to.deep.equal([
        ['first', 'web4 web5', "web1 cannot be reached (with --limit '!web1' that does not count)"],
      ])
      // web3 has no change in the play that stops, so it continues in later plays.
      expect(existsSync(`${rig.root}/second-web3`)).to.equal(true)
      const of = (name: string) => summary.hosts.find(({ host }) => host === name)
      expect(of('web2')).to.include({ ok: 2, changed: 0, skipped: 0, failed: 0 })
      expect(of('web3')).to.include({ ok: 2, changed: 1, skipped: 0, failed: 0 })
      expect(of('web4')).to.include({ ok: 0, changed: 0, skipped: 2, failed: 0 })
    })

    it('skips hosts that have not started in later plays too, and continues with the others', async () => {
      const { summary } = await runWith({ serial: 1 }, ['web2'])
      expect(names.map((name) => existsSync(`${rig.root}/second-${name}`))).to.deep.equal([
        true,
        false,
        false,
        false,
        false,
      ])
      expect(summary.hosts.map(({ skipped }) => skipped)).to.deep.equal([0, 1, 2, 2, 2])
    })

    it('with anyErrorsFatal ends the run when the current hosts are done', async () => {
      const { events } = await runWith({ serial: 2, anyErrorsFatal: true }, ['web1'])
      expect(done()).to.deep.equal(['web2'])
      expect(skipped(events)).to.deep.equal([
        ['first', 'web3 web4 web5', 'web1 failed in "first", which ends the run'],
        ['the rest', names.join(' '), 'web1 failed in "first", which ends the run'],
      ])
    })
  })

  describe('with ignoreUnreachable', () => {
    const two = ['web1', 'web2']
    const outlived = (dead: string, all: readonly string[] = two) =>
      rig.run(
        (web) => [
          play('rescue', { hosts: web, serial: 1, ignoreUnreachable: ({ name }) => `${name} sleeps` }, ({ name }) =>
            file(`${rig.root}/${name}`, 'saved', rig.own),
          ),
        ],
        { names: all, dead },
      )

    it('completes on the others, reports the reason of the play, and does not fail', async () => {
      const { summary } = await outlived('web1')
      expect(done()).to.deep.equal(['web2'])
      expect(summary.hosts.map(({ host, excluded, unreachable }) => [host, excluded, unreachable])).to.deep.equal([
        ['web1', 'web1 sleeps', false],
        ['web2', undefined, false],
      ])
      expect(unfinishedHosts(summary)).to.deep.equal([])
    })

    it('fails if no host remains', async () => {
      const { summary } = await outlived('web1', ['web1'])
      expect(unfinishedHosts(summary)).to.deep.equal(['web1'])
    })
  })

  it('with anyErrorsFatal and a problem plans nothing, as the run does nothing', async () => {
    const refusing = (mode: 'plan' | 'apply') =>
      rig.run(
        (web) => [
          play('gate', { hosts: web, anyErrorsFatal: true }, ({ name }) => {
            const question = ask('the moon', known('full'))
            return (
              name === 'web2' &&
              asked(
                askHost(
                  web.only((one) => one.name === name),
                  question,
                ),
                (moon) => {
                  throw new Problem(`the moon is ${moon}`)
                },
              )
            )
          }),
          play('work', { hosts: web }, ({ name }) => file(`${rig.root}/${name}`, 'a', rig.own)),
          play('more work', { hosts: web }, ({ name }) => file(`${rig.root}/${name}`, 'b', rig.own)),
        ],
        { names, mode },
      )
    for (const mode of ['plan', 'apply'] as const) {
      const { events, summary } = await refusing(mode)
      expect(skipped(events), 'reported once').to.deep.equal([
        ['the rest', names.join(' '), 'web2 failed in "gate", which ends the run'],
      ])
      expect(summary.hosts.map(({ changed, failed }) => changed + failed)).to.deep.equal([0, 1, 0, 0, 0])
    }
    expect(done()).to.deep.equal([])
  })

  it('excludes a host with endHost, which is not a failure, and reports the reason', async () => {
    const { events, summary } = await rig.run(
      (web) => [
        play('who', { hosts: web, serial: 1 }, (host) =>
          asked(
            askHost(host, ask('whether it is away', known(host.name === 'web2'))),
            (away) => away && endHost('it is away', { as: 'at lunch' }),
          ),
        ),
        play('work', { hosts: web, serial: 1 }, ({ name }) => file(`${rig.root}/${name}`, 'a', rig.own)),
      ],
      { names },
    )
    expect(done()).to.deep.equal(['web1', 'web3', 'web4', 'web5'])
    expect(skipped(events)).to.deep.equal([['all', 'web2', 'it is away']])
    expect(summary.hosts.map(({ failed, skipped }) => failed + skipped)).to.deep.equal([0, 0, 0, 0, 0])
    expect(summary.hosts.map(({ excluded }) => excluded)).to.deep.equal([
      undefined,
      'at lunch',
      undefined,
      undefined,
      undefined,
    ])
    expect(unfinishedHosts(summary), 'there is nothing to resume').to.deep.equal([])
  })

  it('starts nothing else after a stop signal, and reports that for each host', async () => {
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

  it('rejects invalid numbers', async () => {
    const refused = (how: Omit<PlayOptions<Host>, 'hosts'>) => () =>
      play('web', { hosts: { hosts: [] }, ...how }, () => [])
    expect(refused({ serial: 1, maxUnavailable: 1 })).to.throw(TypeError, 'serial and maxUnavailable')
    expect(refused({ maxUnavailable: 0 })).to.throw(TypeError, 'maxUnavailable should be a whole number ≥ 1')
    expect(refused({ maxFailures: -1 })).to.throw(TypeError, 'maxFailures should be')
    expect(refused({ serial: 'half%' as '5%' })).to.throw(TypeError, 'serial should be')
  })
})
