import { existsSync, readFileSync } from 'node:fs'
import { expect } from 'chai'
import type { RunEvent } from '../../../src/model/event.ts'
import { play } from '../../../src/model/playbook/play.ts'
import { role } from '../../../src/model/playbook/role.ts'
import {
  delegateTo,
  endHost,
  flushHandlers,
  type Steps,
  tagged,
  withOutput,
} from '../../../src/model/playbook/steps.ts'
import { handler } from '../../../src/model/resource/handler.ts'
import { allowFailure, throttle } from '../../../src/model/resource/wrapped-step.ts'
import { concat } from '../../../src/resources/files/concat.ts'
import { directory } from '../../../src/resources/files/directory.ts'
import { file } from '../../../src/resources/files/file.ts'
import { link } from '../../../src/resources/files/link.ts'
import { command } from '../../../src/resources/system/command.ts'
import { transaction } from '../../../src/resources/transaction/transaction.ts'
import { type Shell, sh } from '../../../src/shell/sh.ts'
import { ownRig, type Plays } from '../../support/rig.ts'

describe('a step that is wrapped', () => {
  const rig = ownRig({ private: true })

  const log = () =>
    existsSync(`${rig.root}/log`) ? readFileSync(`${rig.root}/log`, 'utf8').split('\n').slice(0, -1) : []
  const append = (text: string): Shell => sh`echo ${text} >> ${`${rig.root}/log`}`
  const noting = (name: string) => handler(name, append(name))
  const broken = (label = 'break', name = 'fixed') =>
    command(label, sh`echo its words >&2; exit 3`, { unless: sh`test -e ${`${rig.root}/${name}`}` })
  const plays =
    (...steps: readonly Steps[]): Plays =>
    (web) => [play('web', { hosts: web }, () => steps)]

  describe('by allowFailure', () => {
    it('fails without failing its host, and is counted apart', async () => {
      const notify = noting('reload')
      const all = plays(
        allowFailure({ ...broken(), notify: [notify] }, 'no one needs it'),
        file(`${rig.root}/a`, 'a', rig.own),
      )
      const { reported, problems, summary, events } = await rig.run(all)
      expect(problems).to.deep.equal([])
      expect(reported).to.deep.equal(['web1 allowed command break', 'web1 changed file a'])
      expect(summary.hosts[0]).to.deep.include({ failed: 0, allowed: 1, changed: 1, ok: 0 })
      const printed = events.find((event) => event.kind === 'step' && event.outcome === 'allowed')
      expect(printed).to.have.property('reason', 'no one needs it')
      expect(printed).to.have.nested.property('problem.message', 'web1: command break failed: exit status 3')
      expect(printed)
        .to.have.nested.property('problem.details')
        .that.satisfies((all: readonly string[]) => all.join().includes('its words'))
      // The handler is not pending either.
      expect((await rig.run(all)).reported).to.deep.equal(['web1 allowed command break', 'web1 ok file a'])
      expect(log()).to.deep.equal([])
    })

    it('does not count against the failures of a play', async () => {
      const steps =
        (step: Steps): Plays =>
        (web) => [play('web', { hosts: web, serial: 1 }, () => step)]
      const names = ['web1', 'web2']
      const without = await rig.run(steps(broken()), { names })
      expect(without.reported).to.deep.equal(['web1 failed command break'])
      const allowed = await rig.run(steps(allowFailure(broken(), 'no harm')), { names })
      expect(allowed.reported).to.deep.equal(['web1 allowed command break', 'web2 allowed command break'])
    })

    it('may differ in a way that cannot be changed, which a plan reports', async () => {
      const all = plays(
        allowFailure(link(`${rig.root}/d`, { target: 'x' }), 'a directory is fine, too'),
        file(`${rig.root}/b`, 'b', rig.own),
      )
      await rig.run(plays(directory(`${rig.root}/d`, rig.own), file(`${rig.root}/d/in`, '', rig.own)))
      const expected = ['web1 allowed link d']
      const plan = await rig.run(all, { mode: 'plan' })
      expect(plan.reported).to.deep.equal([...expected, 'web1 planned file b'])
      expect(plan.summary.hosts[0]).to.deep.include({ failed: 0, allowed: 1 })
      expect((await rig.run(all)).reported).to.deep.equal([...expected, 'web1 changed file b'])
    })

    it('may have no effect', async () => {
      const mute = command('mute', sh`:`, { unless: sh`test -e ${`${rig.root}/fixed`}` })
      expect((await rig.run(plays(mute))).problems).to.deep.equal([
        'web1: command mute did not converge: after its commands it would still run',
      ])
      const { reported, problems } = await rig.run(plays(allowFailure(mute, 'no harm')))
      expect(problems).to.deep.equal([])
      expect(reported).to.deep.equal(['web1 changed command mute', 'web1 allowed command mute'])
    })

    it('has a reason, and is applied alone', () => {
      expect(() => allowFailure(broken(), ' ')).to.throw(TypeError, 'allowFailure: command break needs a reason')
      expect(() => allowFailure(concat('/a', 'b', 'c'), 'x')).to.throw(TypeError, 'concat /a is not applied alone')
      expect(() => allowFailure(flushHandlers(), 'x')).to.throw(TypeError, 'flush handlers is not applied alone')
      expect(() => transaction('t', [allowFailure(file('/a', ''), 'x')])).to.throw(
        TypeError,
        'transaction "t": file /a has no failure or limit of its own',
      )
    })
  })

  describe('by throttle', () => {
    /** Fails if another host runs it, too. */
    const exclusive = (host: string) =>
      command('alone', sh`mkdir ${`${rig.root}/busy`} && sleep 0.2 && rmdir ${`${rig.root}/busy`} && ${append(host)}`, {
        unless: sh`grep -q ${host} ${`${rig.root}/log`}`,
      })
    const names = ['web1', 'web2', 'web3']
    const waits = (events: readonly RunEvent[]) =>
      events.flatMap((event) => (event.kind === 'waiting' ? [`${event.host} for ${event.for}`] : []))

    it('runs on so many hosts at once', async () => {
      const all: Plays = (web) => [play('web', { hosts: web }, ({ name }) => throttle(1, exclusive(name)))]
      const { problems, events } = await rig.run(all, { names })
      expect(problems).to.deep.equal([])
      expect(log()).to.have.members(names)
      expect(waits(events)).to.have.length(2)
      expect(waits(events)[0]).to.match(/^web\d for web\d \(command alone: at most 1 at once\)$/)
      expect(waits((await rig.run(all, { names })).events), 'with nothing to do').to.deep.equal([])
    })

    it('would run on all of them without it', async () => {
      const [busy, failed] = [`${rig.root}/busy`, `${rig.root}/failed`]
      // The first one ends when the others have found it.
      const script = (name: string) =>
        sh`mkdir ${busy} || { echo ${name} >> ${failed}; exit 1; }; until grep -c . ${failed} | grep -qx 2; do sleep 0.05; done; : > ${`${rig.root}/done`}`
      const all: Plays = (web) => [
        play('web', { hosts: web }, ({ name }) => command('alone', script(name), { creates: `${rig.root}/done` })),
      ]
      const { reported } = await rig.run(all, { names })
      expect(reported.filter((line) => line.includes(' failed '))).to.have.length(2)
    })

    it('shares its limit with the steps of the same lock', async () => {
      const all: Plays = (web) => [
        play('web', { hosts: web }, ({ name }) => throttle(1, { ...exclusive(name), name }, { lock: 'index server' })),
      ]
      const { problems, events } = await rig.run(all, { names })
      expect(problems).to.deep.equal([])
      expect(waits(events)[0]).to.include('(index server: at most 1 at once)')
    })

    it('is read again after the wait', async () => {
      const once = command('once', append('run'), { unless: sh`grep -q run ${`${rig.root}/log`}` })
      const { reported } = await rig.run(plays(throttle(1, once)), { names })
      expect(log()).to.deep.equal(['run'])
      expect(reported.filter((one) => one.includes(' changed '))).to.have.length(1)
    })

    it('is confirmed once, after the wait', async () => {
      const asked: string[] = []
      const all: Plays = (web) => [play('web', { hosts: web }, ({ name }) => throttle(1, exclusive(name)))]
      const { problems } = await rig.run(all, {
        names,
        confirm: async (host) => {
          asked.push(host)
          return host !== 'web2'
        },
      })
      expect(problems).to.deep.equal([])
      expect(asked).to.have.members(names)
      expect(log()).to.have.members(['web1', 'web3'])
    })

    it('gives its place to the next host when it fails', async () => {
      const all: Plays = (web) => [
        play('web', { hosts: web }, ({ name }) => throttle(1, name === 'web1' ? broken('alone') : exclusive(name))),
      ]
      expect((await rig.run(all, { names })).problems).to.deep.equal(['web1: command alone failed: exit status 3'])
      expect(log()).to.have.members(['web2', 'web3'])
    })

    it('does not start when the run is stopped', async () => {
      const stop = new AbortController()
      const all: Plays = (web) => [play('web', { hosts: web }, ({ name }) => throttle(1, exclusive(name)))]
      const { summary } = await rig.run(all, {
        names,
        stop: stop.signal,
        on: (event) => event.kind === 'waiting' && stop.abort(),
      })
      expect(summary.interrupted).to.equal(true)
      expect(log().length).to.be.at.most(1)
    })

    it('has a limit', () => {
      expect(() => throttle(0, broken())).to.throw(TypeError, 'the limit should be a whole number ≥ 1, got 0')
      expect(() => throttle(1, throttle(2, broken()))).to.throw(TypeError, 'command break has a limit already')
    })
  })

  describe('by flushHandlers', () => {
    const steps = () => [
      file(`${rig.root}/a`, 'a', { ...rig.own, notify: noting('reload') }),
      flushHandlers(),
      command('b', append('step'), { unless: sh`grep -q step ${`${rig.root}/log`}`, notify: noting('reload') }),
      command('c', append('last'), { unless: sh`grep -q last ${`${rig.root}/log`}`, notify: noting('other') }),
    ]

    it('runs the handlers that were notified before it, and those after it at the end', async () => {
      const order = [
        'web1 changed file a',
        'web1 done handler reload',
        'web1 changed command b',
        'web1 changed command c',
        'web1 done handler reload',
        'web1 done handler other',
      ]
      const plan = await rig.run(plays(steps()), { mode: 'plan' })
      const asPlanned = (line: string) => line.replace('planned handler', 'done handler').replace('planned', 'changed')
      expect(plan.reported.map(asPlanned)).to.deep.equal(order)
      const known = plan.events.flatMap((event) =>
        event.kind === 'step' && event.outcome === 'planned' ? [event.known] : [],
      )
      expect(known, 'a handler may affect anything').to.deep.equal([true, false, false])
      expect((await rig.run(plays(steps()))).reported).to.deep.equal(order)
      expect(log()).to.deep.equal(['reload', 'step', 'last', 'reload', 'other'])
      const again = await rig.run(plays(steps()))
      expect(again.reported).to.deep.equal(['web1 ok file a', 'web1 ok command b', 'web1 ok command c'])
      expect(again.summary.hosts[0]).to.deep.include({ ok: 3, trips: 2 })
    })

    it('runs those that an earlier run has left', async () => {
      await rig.run(plays(file(`${rig.root}/a`, 'a', { ...rig.own, notify: noting('reload') }), broken()))
      const { reported } = await rig.run(
        plays(
          file(`${rig.root}/a`, 'a', { ...rig.own, notify: noting('reload') }),
          flushHandlers(),
          file(`${rig.root}/b`, '', rig.own),
        ),
      )
      expect(reported).to.deep.equal(['web1 ok file a', 'web1 done handler reload (pending)', 'web1 changed file b'])
    })

    it('runs them also in a selection by tags', async () => {
      const all = plays(
        tagged('config', file(`${rig.root}/a`, 'a', { ...rig.own, notify: noting('reload') })),
        flushHandlers(),
      )
      expect((await rig.run(all, { select: { tags: ['config'] } })).reported).to.deep.equal([
        'web1 changed file a',
        'web1 done handler reload',
      ])
    })
  })

  describe('by withOutput', () => {
    const token = () =>
      command('token', sh`echo secret > ${`${rig.root}/token`}; echo 'a b'`, { creates: `${rig.root}/token` })

    it('makes steps from what it prints, which a plan calls known after apply', async () => {
      const made = role('made', ({ text }: { readonly text: string }) => file(`${rig.root}/made`, text, rig.own))
      const all = plays(
        withOutput(token(), (text) => [made({ text }), text === 'other' && broken()]),
        file(`${rig.root}/last`, '', rig.own),
      )
      const plan = await rig.run(all, { mode: 'plan' })
      expect(plan.reported).to.deep.equal(['web1 planned command token', 'web1 planned file last'])
      const [planned] = plan.events.flatMap((event) =>
        event.kind === 'step' && 'difference' in event ? [event.difference] : [],
      )
      expect(planned?.fields).to.deep.equal([{ name: 'steps from its output', to: 'known after apply' }])
      const { reported, events } = await rig.run(all)
      expect(reported).to.deep.equal(['web1 changed command token', 'web1 changed file made', 'web1 changed file last'])
      expect(readFileSync(`${rig.root}/made`, 'utf8')).to.equal('a b\n')
      const roles = events.flatMap((event) => (event.kind === 'step' ? [event.step.roles] : []))
      expect(roles).to.deep.equal([[], ['made'], []])
      expect((await rig.run(all)).reported).to.deep.equal(['web1 ok command token', 'web1 ok file last'])
    })

    it('notifies the handlers of those steps, and they are verified', async () => {
      const all = plays(
        withOutput(token(), () => [
          file(`${rig.root}/made`, '', { ...rig.own, notify: noting('reload') }),
          command('mute', sh`:`, { unless: sh`false` }),
        ]),
      )
      const { reported, problems } = await rig.run(all)
      expect(reported).to.include('web1 done handler reload')
      expect(problems).to.deep.equal(['web1: command mute did not converge: after its commands it would still run'])
    })

    it('makes them on the host that the command is for, in a selection too', async () => {
      const web2 = { name: 'web2', group: 'web', address: '127.0.0.2' }
      const steps = delegateTo(
        web2,
        tagged(
          'token',
          withOutput(token(), (text) => file(`${rig.root}/made`, text, rig.own)),
        ),
      )
      const all: Plays = (web) => [play('web', { hosts: { hosts: web.hosts.slice(0, 1) } }, () => steps)]
      const { reported } = await rig.run(all, { names: ['web1', 'web2'], select: { tags: ['token'] } })
      expect(reported).to.deep.equal(['web1 changed command token on web2', 'web1 changed file made on web2'])
    })

    it('reports an error of the function with the place of the command', async () => {
      const all = plays(
        withOutput(token(), () => {
          throw new RangeError('no token')
        }),
      )
      expect((await rig.run(all)).problems).to.deep.equal(['the steps from the output of command token: no token'])
    })

    it('does not exclude a host that has changed', async () => {
      expect((await rig.run(plays(withOutput(token(), () => endHost('it is enough'))))).problems).to.deep.equal([
        'web1: the steps from an output exclude the host, which has changed already',
      ])
    })

    it('takes a command', () => {
      expect(() => withOutput(file('/a', ''), () => [])).to.throw(TypeError, 'withOutput: file /a is not a command')
    })
  })
})
