import { existsSync, readFileSync } from 'node:fs'
import { expect } from 'chai'
import { dueHandlers } from '../../../src/engine/apply/due-handlers.ts'
import { play } from '../../../src/model/playbook/play.ts'
import { handler } from '../../../src/model/resource/handler.ts'
import type { Step } from '../../../src/model/resource/step.ts'
import { file } from '../../../src/resources/files/file.ts'
import { command } from '../../../src/resources/system/command.ts'
import { transaction } from '../../../src/resources/transaction/transaction.ts'
import { sh } from '../../../src/shell/sh.ts'
import { ownRig, type Plays } from '../../support/rig.ts'

describe('a handler', () => {
  // Pending handlers are recorded in /var/lib. Without namespaces that is the directory of this machine itself.
  const rig = ownRig({ private: true })

  const log = () =>
    existsSync(`${rig.root}/log`) ? readFileSync(`${rig.root}/log`, 'utf8').split('\n').slice(0, -1) : []
  const noting = (name: string) => handler(name, sh`echo ${name} >> ${`${rig.root}/log`}`)

  it('runs once, after all steps, even if several steps notify it', async () => {
    const reload = noting('reload')
    const { reported } = await rig.run((web) => [
      play('web', { hosts: web }, () => [
        file(`${rig.root}/a`, 'a', { ...rig.own, notify: reload }),
        file(`${rig.root}/b`, 'b', { ...rig.own, notify: [reload, noting('restart')] }),
        command('c', sh`echo step >> ${`${rig.root}/log`}`, { unless: sh`test -e ${`${rig.root}/log`}` }),
      ]),
    ])
    expect(log()).to.deep.equal(['step', 'reload', 'restart'])
    expect(reported.slice(3)).to.deep.equal(['web1 done handler reload', 'web1 done handler restart'])
  })

  it('does not run if nothing changes', async () => {
    const plays: Plays = (web) => [
      play('web', { hosts: web }, () => [file(`${rig.root}/a`, 'a', { ...rig.own, notify: noting('reload') })]),
    ]
    await rig.run(plays)
    const { reported } = await rig.run(plays)
    expect(reported).to.deep.equal(['web1 ok file a'])
    expect(log()).to.deep.equal(['reload'])
  })

  it('stays pending if a run dies after the change, and the next run executes it although nothing changes', async () => {
    const plays: Plays = (web) => [
      play('web', { hosts: web }, () => [
        file(`${rig.root}/a`, 'a', { ...rig.own, notify: noting('reload a/b ü') }),
        command('break', sh`exit 1`, { unless: sh`test -e ${`${rig.root}/fixed`}` }),
      ]),
    ]
    await rig.run(plays)
    expect(log()).to.deep.equal([])
    await rig.run((web) => [play('web', { hosts: web }, () => [file(`${rig.root}/fixed`, '', rig.own)])])
    const planned = await rig.run(plays, { mode: 'plan' })
    expect(planned.reported).to.include('web1 planned handler reload a/b ü (pending)')
    const { reported, summary } = await rig.run(plays)
    expect(reported).to.deep.equal([
      'web1 ok file a',
      'web1 ok command break',
      'web1 done handler reload a/b ü (pending)',
    ])
    expect(summary.hosts[0]).to.include({ changed: 0, trips: 3 })
    expect((await rig.run(plays)).reported).to.deep.equal(['web1 ok file a', 'web1 ok command break'])
    expect(log()).to.deep.equal(['reload a/b ü'])
  })

  it('stays pending if it fails, and so do the handlers after it', async () => {
    const plays: Plays = (web) => [
      play('web', { hosts: web }, () => [
        file(`${rig.root}/a`, 'a', {
          ...rig.own,
          notify: [
            noting('one'),
            handler('two', sh`echo its words >&2; test -e ${`${rig.root}/fixed`}`),
            noting('three'),
          ],
        }),
      ]),
    ]
    const first = await rig.run(plays)
    expect(first.reported.slice(1)).to.deep.equal(['web1 done handler one', 'web1 failed handler two'])
    expect(first.problems).to.deep.equal(['web1: handler "two" failed: exit status 1'])
    await rig.run((web) => [play('web', { hosts: web }, () => [file(`${rig.root}/fixed`, '', rig.own)])])
    const again = await rig.run(plays)
    expect(again.reported.slice(1)).to.deep.equal([
      'web1 done handler two (pending)',
      'web1 done handler three (pending)',
    ])
  })

  it('does not run after a transaction that activates it', async () => {
    const activate = noting('activate')
    const plays: Plays = (web) => [
      play('web', { hosts: web }, () => [
        transaction('conf', [file(`${rig.root}/conf`, 'a', rig.own)], { activate }),
        command('after', sh`:`, { unless: sh`true`, notify: activate }),
      ]),
    ]
    const { reported } = await rig.run(plays)
    expect(reported).to.deep.equal(['web1 changed transaction conf', 'web1 ok command after'])
    expect(log()).to.deep.equal(['activate'])
    expect((await rig.run(plays)).reported).to.deep.equal(['web1 ok transaction conf', 'web1 ok command after'])
  })

  it('is not pending after a transaction that rolls back, unless another step notifies it', async () => {
    const activate = handler('activate', sh`grep -q good ${`${rig.root}/conf`}`)
    const plays =
      (conf: string, notify: boolean): Plays =>
      (web) => [
        play('web', { hosts: web }, () => [
          notify && file(`${rig.root}/a`, 'a', { ...rig.own, notify: activate }),
          transaction('conf', [file(`${rig.root}/conf`, conf, rig.own)], { activate }),
        ]),
      ]
    await rig.run(plays('good', false))
    expect((await rig.run(plays('broken', false))).reported).to.deep.equal(['web1 failed transaction conf'])
    expect((await rig.run(plays('good', false))).reported).to.deep.equal(['web1 ok transaction conf'])
    await rig.run(plays('broken', true))
    expect((await rig.run(plays('good', true))).reported).to.deep.equal([
      'web1 ok file a',
      'web1 ok transaction conf',
      'web1 done handler activate (pending)',
    ])
  })

  it('stays pending if the connection is lost while a transaction activates it', async () => {
    const activate = handler(
      'activate',
      sh`test -e ${`${rig.root}/lost`} || { touch ${`${rig.root}/lost`}; kill -9 $PPID; }; echo activate >> ${`${rig.root}/log`}`,
    )
    const plays: Plays = (web) => [
      play('web', { hosts: web }, () => [transaction('conf', [file(`${rig.root}/conf`, 'a', rig.own)], { activate })]),
    ]
    expect((await rig.run(plays)).summary.hosts[0]).to.include({ unreachable: true })
    while (log().length === 0) await new Promise((resolve) => setImmediate(resolve))
    const { reported } = await rig.run(plays)
    expect(reported).to.deep.equal(['web1 ok transaction conf', 'web1 done handler activate (pending)'])
  })

  it('runs only once if it is pending and a transaction activates it in the same run', async () => {
    const activate = noting('activate')
    const plays =
      (text: string): Plays =>
      (web) => [
        play('web', { hosts: web }, () => [
          file(`${rig.root}/a`, 'a', { ...rig.own, notify: activate }),
          command('break', sh`exit 1`, { unless: sh`test ${text} = b` }),
          transaction('conf', [file(`${rig.root}/conf`, text, rig.own)], { activate }),
          command('after', sh`:`, { unless: sh`true`, notify: activate }),
        ]),
        play('later', { hosts: web }, () => [command('later', sh`:`, { unless: sh`true`, notify: activate })]),
      ]
    await rig.run(plays('a'))
    expect(log()).to.deep.equal([])
    const { reported } = await rig.run(plays('b'))
    expect(reported).not.to.include('web1 done handler activate (pending)')
    expect(log()).to.deep.equal(['activate'])
  })
})

describe('due handlers', () => {
  const [a, b] = [handler('a', sh`:`), handler('b', sh`:`)]
  const step = (of: Partial<Step>) => ({ ...command('c', sh`:`, { creates: '/' }), ...of }) satisfies Step
  const due = (steps: readonly Step[], changed: readonly Step[], pending: readonly string[] = []) =>
    dueHandlers(steps, new Set(changed), new Set(pending)).map(
      (one) => `${one.handler.name}${one.pending ? ' pending' : ''}`,
    )

  it('are those of changed steps, each once, in the order of notification', () => {
    const [one, two] = [step({ notify: [b, a] }), step({ notify: [a] })]
    expect(due([one, two], [one, two])).to.deep.equal(['b', 'a'])
    expect(due([one, two], [two])).to.deep.equal(['a'])
  })

  it('exclude those that a later change satisfies', () => {
    const [one, two] = [step({ notify: [a] }), step({ satisfies: [a] })]
    expect(due([one, two], [one, two])).to.deep.equal([])
    expect(due([two, one], [one, two])).to.deep.equal(['a'])
  })

  it('include pending handlers that a step of the play still names', () => {
    const [one, two] = [step({ notify: [a] }), step({ satisfies: [b] })]
    expect(due([one, two], [], ['a', 'b', 'c'])).to.deep.equal(['a pending', 'b pending'])
    expect(due([one], [one], ['a'])).to.deep.equal(['a'])
  })
})
