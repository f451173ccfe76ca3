import { existsSync, readFileSync } from 'node:fs'
import { expect } from 'chai'
import type { RunEvent } from '../../../src/model/event.ts'
import type { Group, Host } from '../../../src/model/inventory/host.ts'
import { type DrainOptions, drain, runOn } from '../../../src/model/playbook/drain.ts'
import { type PlayOptions, play } from '../../../src/model/playbook/play.ts'
import { probe } from '../../../src/model/playbook/probe.ts'
import type { Steps } from '../../../src/model/playbook/steps.ts'
import { ask } from '../../../src/model/resource/question.ts'
import { read } from '../../../src/model/resource/read.ts'
import { file } from '../../../src/resources/files/file.ts'
import { command } from '../../../src/resources/system/command.ts'
import { type Shell, sh } from '../../../src/shell/sh.ts'
import { type Options, type Outcome, ownRig } from '../../support/rig.ts'
import { wordsIn } from '../../support/words.ts'

describe('the drain of a host', () => {
  // Drains are recorded in /var/lib. Without namespaces that is the directory of this machine itself.
  const rig = ownRig({ private: true })
  const names = ['lb1', 'lb2', 'web1', 'web2']

  const say = (what: string): Shell => sh`echo ${what} >> ${`${rig.root}/log`}`
  const log = () =>
    existsSync(`${rig.root}/log`) ? readFileSync(`${rig.root}/log`, 'utf8').split('\n').slice(0, -1) : []
  const brackets = ({ events }: Outcome) =>
    events.flatMap((event) =>
      event.kind === 'drain' ? [`${event.host} ${event.outcome}${event.pending ? ' (pending)' : ''}`] : [],
    )
  const failures = (events: readonly RunEvent[]) =>
    events.filter((event) => event.kind === 'drain' && event.outcome === 'failed')
  const change = ({ name }: Host) => [
    command('change', say(`change ${name}`), { creates: `${rig.root}/${name}` }),
    file(`${rig.root}/${name}`, 'a', rig.own),
  ]

  /** A play over web1 and web2 with a drain on lb1 that logs its commands. */
  const runAround = (
    how: Partial<DrainOptions<Host>> &
      Pick<PlayOptions<Host>, 'isIdle'> & { readonly steps?: (host: Host) => Steps } = {},
    options: Options = {},
  ) =>
    rig.run(
      (all) => [
        play(
          'web',
          {
            hosts: { hosts: all.hosts.slice(2) },
            ...{ serial: 1, ...(how.isIdle && { isIdle: how.isIdle }) },
            readiness: ({ name }) => probe('it is healthy', say(`healthy ${name}`)),
            drain: drain('out', {
              drain: ({ name }) => [runOn(balancer(all), say(`enter ${name}`))],
              undrain: ({ name }) => [runOn(balancer(all), say(`leave ${name}`))],
              ready: ({ name }) => [runOn(balancer(all), say(`settled ${name}`))],
              ...how,
            }),
          },
          how.steps ?? change,
        ),
      ],
      { names, ...options },
    )
  const balancer = (all: Group) => all.only(({ name }) => name === 'lb1')
  const whole = (name: string) => ['enter', 'change', 'healthy', 'leave', 'settled'].map((what) => `${what} ${name}`)

  it('runs before the first change, and is undone when the host is healthy, before the next host starts', async () => {
    const outcome = await runAround()
    expect(log()).to.deep.equal([...whole('web1'), ...whole('web2')])
    expect(brackets(outcome)).to.deep.equal(['web1 drained', 'web1 undrained', 'web2 drained', 'web2 undrained'])
  })

  it('does not run if nothing changes', async () => {
    await runAround()
    const before = log()
    const outcome = await runAround()
    expect(log()).to.deep.equal(before)
    expect(brackets(outcome)).to.deep.equal([])
  })

  it('does not run, and is not planned, if all hosts are idle, and all start at once', async () => {
    const isIdle = ask(
      'is it idle?',
      read(sh`true`, () => true),
    )
    const planned = await runAround({ isIdle }, { mode: 'plan' })
    const outcome = await runAround({ isIdle })
    expect([...brackets(planned), ...brackets(outcome)]).to.deep.equal([])
    expect(log()).to.have.members(['change web1', 'healthy web1', 'change web2', 'healthy web2'])
  })

  it('runs if hosts have left their idle state since the plan', async () => {
    let asked = 0
    const isIdle = ask(
      'is it idle?',
      read(sh`true`, () => ++asked <= 2),
    )
    await runAround({ isIdle })
    expect(log()).to.deep.equal([...whole('web1'), ...whole('web2')])
  })

  it('appears in a plan and does not run', async () => {
    const outcome = await runAround({}, { mode: 'plan' })
    expect([log(), brackets(outcome)]).to.deep.equal([[], ['web1 planned', 'web2 planned']])
    expect(outcome.events.find(({ kind }) => kind === 'drain')).to.include({ label: 'out' })
    expect(outcome.events.flatMap((event) => (event.kind === 'drain' ? [event.on] : []))).to.deep.equal([
      ['lb1'],
      ['lb1'],
    ])
    await runAround()
    expect(brackets(await runAround({}, { mode: 'plan' }))).to.deep.equal([])
  })

  it('runs only after the operator confirms the first change', async () => {
    const asked: string[] = []
    const no = await runAround(
      {},
      {
        confirm: async (host, { name }) => {
          asked.push(`${host} ${name}`, ...log())
          return false
        },
      },
    )
    expect([log(), brackets(no)]).to.deep.equal([[], []])
    expect(asked).to.have.length(4)
    await runAround({}, { confirm: async (host, { name }) => host === 'web1' || name !== 'change' })
    expect(log()).to.include.members(whole('web1'))
  })

  it('leaves no record on hosts without undrain commands, and its end is reported once', async () => {
    const outcome = await runAround({ undrain: () => [] })
    expect(brackets(outcome)).to.deep.equal(['web1 drained', 'web1 undrained', 'web2 drained', 'web2 undrained'])
  })

  it('is not reported if no host has anything to do', async () => {
    const idle = { drain: () => [{ host: rigHost('lb1'), script: sh`exit 3` }], nothingToDo: 3 }
    const outcome = await runAround(idle)
    expect(brackets(outcome)).to.deep.equal([])
    expect(outcome.summary.hosts.map(({ failed }) => failed)).to.deep.equal([0, 0])
    expect(log()).to.include('change web1').and.not.include('settled web1')
    rig.renew()
    const other = await runAround({ ...idle, nothingToDo: 4 })
    expect(other.problems).to.deep.equal(['web1 could not be drained (out), so nothing was changed on it'])
  })

  it('is undone without the check for readiness if a step fails', async () => {
    const broken = () => [command('break', sh`exit 1`, { creates: '/nonexistent' })]
    const { problems } = await runAround({ steps: broken })
    expect(log()).to.deep.equal(['enter web1', 'leave web1'])
    expect(problems).to.have.length(1)
  })

  it('is undone if the operator stops the run', async () => {
    const stop = new AbortController()
    const outcome = await runAround(
      {},
      { stop: stop.signal, on: (event) => void (event.kind === 'applying' && stop.abort()) },
    )
    expect(log()).to.include('leave web1').and.not.include('enter web2')
    expect(outcome.summary.interrupted).to.equal(true)
  })

  it('leaves the host unchanged if it fails, and is undone', async () => {
    const { problems, summary } = await runAround({
      drain: () => [
        { host: rigHost('lb1'), script: say('enter') },
        { host: rigHost('lb1'), script: sh`echo no; exit 3` },
      ],
    })
    expect(log()).to.deep.equal(['enter', 'leave web1'])
    expect(problems).to.deep.equal(['web1 could not be drained (out), so nothing was changed on it'])
    expect(summary.hosts.map(({ failed, changed }) => failed + changed)).to.deep.equal([1, 0])
  })

  it('does not start if one of its hosts is unreachable', async () => {
    const { problems, summary } = await runAround({}, { dead: 'lb1' })
    expect(log()).to.deep.equal([])
    expect(problems).to.include('web1 cannot be drained (out): lb1 cannot be reached')
    expect(summary.hosts.find(({ host }) => host === 'web1')?.failed).to.equal(1)
  })

  it('ignores unreachable hosts with onUnreachable: ignore', async () => {
    const { summary } = await runAround({ onUnreachable: 'ignore' }, { dead: 'lb1' })
    expect(log()).to.deep.equal(['change web1', 'healthy web1', 'change web2', 'healthy web2'])
    expect(summary.hosts.filter(({ failed }) => failed > 0)).to.deep.equal([])
  })

  it('stays open on a lost host and is reported with the command to undo it, until a run reaches the host again', async () => {
    const die = () => [command('die', sh`kill -9 $PPID`, { creates: '/nonexistent' })]
    const lost = await runAround({ steps: die })
    expect(log()).to.deep.equal(['enter web1'])
    expect(wordsIn(failures(lost.events))).to.equal(`error: web1 was lost in its turn and stays drained (out)
   on lb1: sh /var/lib/provision/drains/web1:out && rm /var/lib/provision/drains/web1:out
   The next run that reaches it undrains it. The lines above undrain it by hand.`)
    const missing = await runAround({}, { dead: 'web1' })
    expect(brackets(missing)).to.include('web1 failed (pending)')
    expect(
      wordsIn(failures(missing.events).slice(0, 1)).replace(/on \w+:/, 'on ONE:'),
    ).to.equal(`error: web1 stays drained (out) since an earlier run
   web1 cannot be reached
   on ONE: sh /var/lib/provision/drains/web1:out && rm /var/lib/provision/drains/web1:out
   The next run that reaches it tries again. The last line above undrains it by hand.`)
    const next = await runAround()
    expect(brackets(next)).to.include('web1 undrained (pending)')
    // All hosts are this machine, so several of them may find the record.
    const each = log().filter((line, i, all) => line !== all[i - 1])
    expect(each).to.deep.equal(['enter web1', 'leave web1', ...whole('web1'), ...whole('web2')])
  })

  it('fails the turn if it cannot be undone, and the next run undoes it with the recorded script', async () => {
    const stuck = sh`[ -e ${`${rig.root}/fixed`} ] || { echo stuck; exit 1; }; echo back >> ${`${rig.root}/log`}`
    const outcome = await runAround({
      undrain: () => [{ host: rigHost('lb1'), script: stuck }],
    })
    expect(outcome.problems).to.deep.equal(['web1 stays drained (out)'])
    expect(wordsIn(failures(outcome.events).slice(0, 1))).to.equal(`error: web1 stays drained (out)
   on lb1, a command ended with status 1:
   $ [ ! -e /var/lib/provision/drains/web1:out ] || { sh /var/lib/provision/drains/web1:out && rm -f -- /var/lib/provision/drains/web1:out; }
     stuck
   on lb1: sh /var/lib/provision/drains/web1:out && rm /var/lib/provision/drains/web1:out
   The next run undrains it first. The last lines above undrain it by hand.`)
    await rig.run((all) => [play('fix', { hosts: all }, () => file(`${rig.root}/fixed`, '', rig.own))], {
      names,
    })
    const next = await runAround()
    expect(log()).to.include('back')
    expect(next.summary.hosts.every(({ failed }) => failed === 0)).to.equal(true)
  })

  it('fails the turn of a host that is not back in service, and the next host does not start', async () => {
    const ready = () => [{ host: rigHost('lb1'), script: sh`echo no answer; exit 3` }]
    const { events } = await runAround({ ready })
    expect(wordsIn(events)).to.equal(`error: web1 was undrained (out), but is not ready
   on lb1, a command ended with status 3:
   $ echo no answer; exit 3
     no answer
   Check the service on the host. The hosts after it were not changed.`)
    expect(log()).to.include('leave web1').and.not.include('enter web2')
  })

  it('runs on hosts outside of the limit', async () => {
    await runAround({}, { limit: ({ name }) => name === 'web2' })
    expect(log()).to.deep.equal(whole('web2'))
  })
})

function rigHost(name: string): Host {
  return { name, group: 'web', address: '127.0.0.1' }
}
