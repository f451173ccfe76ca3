import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { expect } from 'chai'
import { statusOf } from '../../../src/model/event.ts'
import { drain, runOn } from '../../../src/model/playbook/drain.ts'
import { play } from '../../../src/model/playbook/play.ts'
import { role } from '../../../src/model/playbook/role.ts'
import { delegateTo } from '../../../src/model/playbook/steps.ts'
import { type Change, policy } from '../../../src/model/policy/policy.ts'
import { protect } from '../../../src/model/policy/protect.ts'
import { lift, waive } from '../../../src/model/policy/waiver.ts'
import { Problem } from '../../../src/model/problem.ts'
import { handler, rebooted, reloaded, restarted } from '../../../src/model/resource/handler.ts'
import { absent } from '../../../src/resources/files/absent.ts'
import { directory } from '../../../src/resources/files/directory.ts'
import { file } from '../../../src/resources/files/file.ts'
import { command } from '../../../src/resources/system/command.ts'
import { transaction } from '../../../src/resources/transaction/transaction.ts'
import { sh } from '../../../src/shell/sh.ts'
import { type Options, type Outcome, ownRig, type Plays } from '../../support/rig.ts'

const FUTURE = { until: '2126-12-24', reason: 'a security fix' }
const PAST = { until: '2026-01-01', reason: 'an old fix' }

describe('policies', () => {
  const rig = ownRig({ private: true })

  const refusals = ({ events }: Outcome) =>
    events.flatMap((event) => (event.kind === 'policy' && event.outcome === 'refused' ? (event.problem ?? []) : []))
  const waivers = ({ events }: Outcome) =>
    events.flatMap((event) => (event.kind === 'policy' && event.outcome === 'waived' ? event : []))
  const run = (plays: Plays, options: Options = {}) => rig.run(plays, options)
  const noFiles = policy('no file may change', ({ changes }) => changes.filter(({ kind }) => kind === 'file'))
  /** A role, whose name is part of messages. */
  const motd = role('motd', (_params: object) => [
    file(`${rig.root}/motd`, 'hello', { ...rig.own, notify: handler('notify', sh`:`) }),
  ])
  const plays: Plays = (web) => [play('web', { hosts: web, serial: 1 }, () => [motd({})])]
  const isWritten = (name = 'motd') => existsSync(`${rig.root}/${name}`)

  it('see the steps and the handlers of all hosts, with their places', async () => {
    let seen: readonly Change[] = []
    const look = policy('a look', ({ changes }) => {
      seen = changes
      return false
    })
    await run(plays, { mode: 'plan', policies: [look], names: ['web1', 'web2'] })
    const lines = seen.map((one) => [one.host.name, one.kind, one.name.replace(rig.root, ''), one.action, ...one.roles])
    expect(lines).to.deep.equal([
      ['web1', 'file', '/motd', 'create', 'motd'],
      ['web1', 'handler', 'notify', 'run', 'motd'],
      ['web2', 'file', '/motd', 'create', 'motd'],
      ['web2', 'handler', 'notify', 'run', 'motd'],
    ])
    expect(seen[0]).to.deep.include({ play: 'web', known: true, restarts: [], tags: ['motd'] })
    for (const { source } of seen) expect(source?.file).to.equal(import.meta.filename)
  })

  it('see restarts, reloads and reboots of handlers, of transactions and on other hosts', async () => {
    let seen: readonly Change[] = []
    const look = policy('a look', ({ changes }) => {
      seen = changes
      return false
    })
    await run(
      (web) => [
        play('web', { hosts: web }, (host) => [
          file(`${rig.root}/a`, 'a', { notify: [restarted('db.service'), reloaded('lb'), rebooted()] }),
          transaction('conf', [file(`${rig.root}/b`, 'b')], { activate: restarted('app') }),
          delegateTo(host, file(`${rig.root}/c`, 'c', { notify: restarted('cache') })),
        ]),
      ],
      { mode: 'plan', policies: [look] },
    )
    expect(seen.map(({ kind, action, restarts }) => [kind, action, ...restarts])).to.deep.equal([
      ['file', 'create'],
      ['transaction', 'change', 'app'],
      ['file', 'create'],
      ['handler', 'restart', 'db'],
      ['handler', 'reload'],
      ['handler', 'reboot'],
      ['handler', 'restart', 'cache'],
    ])
  })

  it('refuse a run before it changes anything, and name rule, host, step and place', async () => {
    const outcome = await run(plays, { policies: [noFiles], names: ['web1', 'web2'] })
    expect(statusOf(outcome.summary)).to.equal('refused')
    const [first, second] = refusals(outcome)
    expect(first?.message).to.equal(
      `web1: the policy "no file may change" does not allow file ${rig.root}/motd (role motd)`,
    )
    expect(first?.where).to.have.property('file', import.meta.filename)
    expect(first?.next).to.equal(
      `Nothing was changed on any host. An exception for a time is waive('no file may change', …) in the waivers of the inventory.`,
    )
    expect(second?.message).to.match(/^web2: /)
    expect(outcome.reported).to.deep.equal([])
    expect(outcome.summary.hosts.map(({ changed, skipped }) => [changed, skipped])).to.deep.equal([
      [0, 0],
      [0, 0],
    ])
    expect(isWritten()).to.equal(false)
  })

  it('allow the same run if they refuse nothing', async () => {
    const other = policy('no directory may change', ({ changes }) => changes.filter(({ kind }) => kind === 'directory'))
    const outcome = await run(plays, { policies: [other] })
    expect(statusOf(outcome.summary)).to.equal('ok')
    expect(isWritten()).to.equal(true)
  })

  it('refuse a plan, which is shown in full', async () => {
    const outcome = await run(plays, { mode: 'plan', policies: [noFiles] })
    expect(statusOf(outcome.summary)).to.equal('refused')
    expect(outcome.reported).to.deep.equal(['web1 planned file motd', 'web1 planned handler notify'])
    expect(outcome.events.at(-2)?.kind).to.equal('policy')
  })

  it('list the other changes of a host in one message', async () => {
    const many: Plays = (web) => [
      play('web', { hosts: web }, () => Array.from({ length: 25 }, (_, i) => file(`${rig.root}/${i}`, 'a'))),
    ]
    const [only, ...others] = refusals(await run(many, { policies: [noFiles] }))
    expect(others).to.deep.equal([])
    expect(only?.details).to.have.length(21)
    expect(only?.details[0]).to.equal(`also file ${rig.root}/1`)
    expect(only?.details.at(-1)).to.equal('and 4 more')
  })

  it('see a handler that is pending since an earlier run', async () => {
    const failing: Plays = (web) => [
      play('web', { hosts: web }, () => [
        file(`${rig.root}/a`, 'a', { ...rig.own, notify: handler('notify', sh`:`) }),
        command('break', sh`exit 1`, { unless: sh`test -e ${`${rig.root}/fixed`}` }),
      ]),
    ]
    await run(failing)
    writeFileSync(`${rig.root}/fixed`, '')
    const noNotify = policy('no notify', ({ changes }) => changes.filter(({ name }) => name === 'notify'))
    const [refusal] = refusals(await run(failing, { policies: [noNotify] }))
    expect(refusal?.message).to.equal(
      'web1: the policy "no notify" does not allow handler notify, pending since an earlier run',
    )
    expect(statusOf((await run(failing)).summary)).to.equal('ok')
  })

  it('do not start a run if a rule fails', async () => {
    const broken = policy('broken', () => {
      throw new Error('no calendar')
    })
    const error = await run(plays, { policies: [broken] }).catch((reason: unknown) => reason)
    expect(error).to.be.instanceOf(Problem).with.property('message', 'policy "broken": no calendar')
    expect(isWritten()).to.equal(false)
  })

  it('allow what a waiver covers, until it expires, and report its use', async () => {
    const options = { policies: [noFiles], names: ['web1', 'web2'] }
    const one = await run(plays, { ...options, waivers: [waive(noFiles, { ...FUTURE, hosts: ['web1'] })] })
    expect(refusals(one).map(({ message }) => message.slice(0, 5))).to.deep.equal(['web2:'])
    const expired = await run(plays, { ...options, waivers: [waive(noFiles, PAST)] })
    expect(refusals(expired)).to.have.length(2)
    expect(refusals(expired)[0]?.details).to.deep.equal([
      'A waiver has expired at 2026-01-01T23:59:59.999Z: an old fix',
    ])
    expect(isWritten()).to.equal(false)
    const all = await run(plays, { ...options, waivers: [waive(noFiles, PAST), waive(noFiles, FUTURE)] })
    expect(statusOf(all.summary)).to.equal('ok')
    expect(isWritten()).to.equal(true)
    expect(waivers(all).map(({ host, policy, reason, until }) => ({ host, policy, reason, until }))).to.deep.equal(
      ['web1', 'web2'].map((host) => ({
        ...{ host, policy: 'no file may change', reason: 'a security fix', until: '2126-12-24T23:59:59.999Z' },
      })),
    )
  })

  describe('during a run', () => {
    /** A step that is a change only after the command before it, as after the installation of a package. */
    const surprising: Plays = (web) => [
      play('web', { hosts: web, serial: 1 }, ({ name }) => [
        command('install', sh`touch ${`${rig.root}/${name}-default`}`, { creates: `${rig.root}/${name}-default` }),
        absent(`${rig.root}/${name}-default`),
      ]),
    ]
    const noRemoval = policy('no removal', ({ changes }) => changes.filter(({ action }) => action === 'remove'))

    it('refuse a change that is known only after an earlier one, before it is made', async () => {
      const outcome = await run(surprising, { policies: [noRemoval], names: ['web1', 'web2'] })
      expect(statusOf(outcome.summary)).to.equal('failed')
      expect(outcome.problems).to.deep.equal([
        `web1: the policy "no removal" does not allow absent ${rig.root}/web1-default`,
      ])
      expect(existsSync(`${rig.root}/web1-default`)).to.equal(true)
      // The play goes on with no other host.
      expect(existsSync(`${rig.root}/web2-default`)).to.equal(false)
      await run(surprising)
      expect(existsSync(`${rig.root}/web1-default`)).to.equal(false)
    })

    it('are asked before the first change of each host, at the time of its turn', async () => {
      let hour = 8
      const early = policy('before nine', ({ changes, at }) => at.getUTCHours() >= 9 && changes)
      const two: Plays = (web) => [
        play('web', { hosts: web, serial: 1 }, ({ name }) => [
          file(`${rig.root}/${name}-a`, 'a', { ...rig.own, notify: handler('notify', sh`:`) }),
          command('install', sh`touch ${`${rig.root}/${name}-b`}`, { creates: `${rig.root}/${name}-b` }),
        ]),
      ]
      const outcome = await run(two, {
        policies: [early],
        names: ['web1', 'web2'],
        now: () => new Date(Date.UTC(2026, 0, 1, hour)),
        on: (event) => {
          // Nine o'clock comes during the turn of the first host, which is finished.
          if (event.kind === 'applying') hour = 9
        },
      })
      expect(outcome.reported).to.deep.equal([
        'web1 changed file web1-a',
        'web1 changed command install',
        'web1 done handler notify',
      ])
      expect(outcome.problems).to.deep.equal([`web2: the policy "before nine" does not allow file ${rig.root}/web2-a`])
      expect(existsSync(`${rig.root}/web2-a`)).to.equal(false)
    })

    it('are checked before a host is drained; without them it is', async () => {
      const plays: Plays = (web) => [
        play(
          'web',
          {
            hosts: web,
            drain: drain('out', {
              drain: (host) => [runOn(host, sh`touch ${`${rig.root}/drained`}`)],
              undrain: (host) => [runOn(host, sh`true`)],
            }),
          },
          () => file(`${rig.root}/a`, 'a', rig.own),
        ),
      ]
      let asked = 0
      const options: Options = { now: () => new Date(Date.UTC(2026, 0, 1, asked++ === 0 ? 8 : 9)) }
      const early = policy('before nine', ({ changes, at }) => at.getUTCHours() >= 9 && changes)
      const outcome = await run(plays, { ...options, policies: [early] })
      expect(outcome.problems).to.deep.equal([`web1: the policy "before nine" does not allow file ${rig.root}/a`])
      expect([isWritten('drained'), isWritten('a')]).to.deep.equal([false, false])
      await run(plays)
      expect([isWritten('drained'), isWritten('a')]).to.deep.equal([true, true])
    })

    it('see the changes of the hosts that are done', async () => {
      const counts: number[] = []
      const count = policy('a count', ({ changes }) => {
        counts.push(changes.length)
        return false
      })
      const each: Plays = (web) => [
        play('web', { hosts: web, serial: 1 }, ({ name }) => file(`${rig.root}/${name}`, 'a', rig.own)),
      ]
      await run(each, { policies: [count], names: ['web1', 'web2', 'web3'] })
      expect(counts).to.deep.equal([3, 3, 3, 3])
    })
  })
})

describe('a protected step', () => {
  const rig = ownRig({ private: true })

  const problemsOf = ({ events }: Outcome) =>
    events.flatMap((event) => (event.kind === 'policy' ? (event.problem?.message ?? []) : []))
  const path = () => `${rig.root}/key` as const
  const key =
    (content: string, mode = '0600'): Plays =>
    (web) => [play('web', { hosts: web }, () => protect(file(path(), content, { ...rig.own, mode }), 'clients pin it'))]

  it('may be made, and its mode may change; its content is not replaced by a plan or a run', async () => {
    expect(statusOf((await rig.run(key('one'))).summary)).to.equal('ok')
    expect(statusOf((await rig.run(key('one', '0640'))).summary)).to.equal('ok')
    for (const mode of ['plan', 'apply'] as const) {
      const outcome = await rig.run(key('two'), { mode })
      expect(statusOf(outcome.summary)).to.equal('refused')
      expect(problemsOf(outcome)).to.deep.equal([
        `web1: a run would change file ${path()}, which is protected: clients pin it`,
      ])
    }
    // The control: the same step without protection.
    const plain = await rig.run((web) => [play('web', { hosts: web }, () => file(path(), 'two', rig.own))])
    expect(statusOf(plain.summary)).to.equal('ok')
  })

  it('is changed if its protection is lifted for the host', async () => {
    await rig.run(key('one'))
    const title = `file ${path()}`
    const other = await rig.run(key('two'), { waivers: [lift(title, PAST)] })
    expect(other.events.flatMap((event) => (event.kind === 'policy' ? (event.problem?.next ?? []) : []))).to.deep.equal(
      [
        `Nothing was changed on any host. An exception for a time is lift('${title}', …) in the waivers of the inventory.`,
      ],
    )
    const lifted = await rig.run(key('two'), { waivers: [lift(title, { ...FUTURE, hosts: ['web'] })] })
    expect(statusOf(lifted.summary)).to.equal('ok')
    expect(lifted.events.filter((event) => event.kind === 'policy' && event.outcome === 'waived')).to.have.length(1)
  })

  it('is not removed by another step, with its directory or in a later play', async () => {
    mkdirSync(`${rig.root}/srv/data`, { recursive: true })
    const plays: Plays = (web) => [
      play('data', { hosts: web }, () =>
        protect(directory(`${rig.root}/srv/data`, { ...rig.own, mode: '0755' }), 'the only copy'),
      ),
      play('clean', { hosts: web }, () => [absent(`${rig.root}/srv`)]),
    ]
    const outcome = await rig.run(plays)
    expect(problemsOf(outcome)).to.deep.equal([
      `web1: absent ${rig.root}/srv would remove directory ${rig.root}/srv/data, which is protected: the only copy`,
    ])
    expect(existsSync(`${rig.root}/srv/data`)).to.equal(true)
  })

  it('is not removed by a later play that notices it only during the run', async () => {
    const plays: Plays = (web) => [
      play('data', { hosts: web }, () =>
        protect(directory(`${rig.root}/data`, { ...rig.own, mode: '0755' }), 'the only copy'),
      ),
      play('data', { hosts: web }, () => [absent(`${rig.root}/data`)]),
    ]
    const outcome = await rig.run(plays)
    expect(outcome.problems).to.deep.equal([
      `web1: absent ${rig.root}/data would remove directory ${rig.root}/data, which is protected: the only copy`,
    ])
    expect(existsSync(`${rig.root}/data`)).to.equal(true)
  })

  it('is protected as a part of a transaction', async () => {
    writeFileSync(path(), 'one')
    const plays: Plays = (web) => [
      play('web', { hosts: web }, () =>
        transaction('conf', [protect(absent(path()), 'clients pin it'), file(`${rig.root}/other`, 'a', rig.own)]),
      ),
    ]
    expect(problemsOf(await rig.run(plays))).to.deep.equal([
      `web1: a run would remove absent ${path()}, which is protected: clients pin it`,
    ])
    expect(existsSync(`${rig.root}/other`)).to.equal(false)
  })
})
