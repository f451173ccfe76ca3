import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { expect } from 'chai'
import { play } from '../../../src/model/playbook/play.ts'
import { read } from '../../../src/model/resource/read.ts'
import { resource } from '../../../src/model/resource/step.ts'
import { file } from '../../../src/resources/files/file.ts'
import { link } from '../../../src/resources/files/link.ts'
import { command } from '../../../src/resources/system/command.ts'
import { reboot } from '../../../src/resources/systemd/reboot.ts'
import { sh } from '../../../src/shell/sh.ts'
import { ownRig, type Plays } from '../../support/rig.ts'

describe('a condition of the user', () => {
  const rig = ownRig()

  const copied = (version: string): Plays => {
    const [from, to] = [`${rig.root}/src`, `${rig.root}/dst`] as const
    return (web) => [
      play('web', { hosts: web }, () => [
        file(from, version, rig.own),
        command('copy', sh`cp ${from} ${to}`, { unless: sh`cmp -s ${from} ${to}` }),
      ]),
    ]
  }

  it('is read after the earlier steps: a copy follows its source file', async () => {
    await rig.run(copied('v1'))
    const planned = await rig.run(copied('v2'), { mode: 'plan' })
    expect(planned.reported).to.deep.equal(['web1 planned file src', 'web1 deferred command copy'])
    const { reported, problems } = await rig.run(copied('v2'))
    expect(problems).to.deep.equal([])
    expect(reported).to.deep.equal(['web1 changed file src', 'web1 changed command copy'])
    expect(readFileSync(`${rig.root}/dst`, 'utf8')).to.equal('v2')
    expect((await rig.run(copied('v2'))).summary.hosts[0]).to.include({ changed: 0, trips: 2 })
  })

  it('skips a command that an earlier step makes unnecessary', async () => {
    const [made, ran] = [`${rig.root}/made`, `${rig.root}/ran`] as const
    const plays: Plays = (web) => [
      play('web', { hosts: web }, () => [
        file(made, '', rig.own),
        command('needless', sh`touch ${ran}`, { unless: sh`[ -e ${made} ]` }),
      ]),
    ]
    const { events } = await rig.run(plays, { mode: 'plan' })
    const planned = events.flatMap((event) => (event.kind === 'step' && event.outcome === 'planned' ? [event] : []))
    expect(planned.map(({ step, known }) => [step.kind, known])).to.deep.equal([
      ['file', true],
      ['command', false],
    ])
    const { reported } = await rig.run(plays)
    expect(reported).to.deep.equal(['web1 changed file made', 'web1 ok command needless'])
    expect(existsSync(ran)).to.equal(false)
  })

  it('on the age of a file is read after the step that writes the file', async () => {
    const [from, to] = [`${rig.root}/aliases`, `${rig.root}/aliases.db`] as const
    const plays =
      (text: string): Plays =>
      (web) => [
        play('web', { hosts: web }, () => [
          file(from, text, rig.own),
          command('newaliases', sh`cp ${from} ${to}`, { unless: sh`[ ${to} -nt ${from} ]` }),
        ]),
      ]
    await rig.run(plays('a'))
    const { problems } = await rig.run(plays('b'))
    expect(problems).to.deep.equal([])
    expect(readFileSync(to, 'utf8')).to.equal('b')
  })

  it('on a created path below a link is read after the step for the link', async () => {
    mkdirSync(`${rig.root}/new`)
    mkdirSync(`${rig.root}/old`)
    writeFileSync(`${rig.root}/old/built`, '')
    symlinkSync('old', `${rig.root}/current`)
    const { reported, problems } = await rig.run((web) => [
      play('web', { hosts: web }, () => [
        link(`${rig.root}/current`, { target: 'new' }),
        command('build', sh`touch ${`${rig.root}/current/built`}`, { creates: `${rig.root}/current/built` }),
      ]),
    ])
    expect(problems).to.deep.equal([])
    expect(reported).to.deep.equal(['web1 changed link current', 'web1 changed command build'])
  })

  it('of a custom resource is read after the earlier steps', async () => {
    const total = resource<{ readonly of: string; readonly to: string }, boolean>('total', {
      id: ({ to }) => to,
      affects: 'itself',
      read: ({ of, to }) => read(sh`size=$(wc -c < ${of}); [ "$size" = $(cat ${to}) ]`, ({ code }) => code === 0),
      diff: (_params, same) => (same ? undefined : { action: 'run', fields: [] }),
      apply: ({ of, to }) => [sh`wc -c < ${of} > ${to}`],
    })
    const plays =
      (text: string): Plays =>
      (web) => [
        play('web', { hosts: web }, () => [
          file(`${rig.root}/text`, text, rig.own),
          total({ of: `${rig.root}/text`, to: `${rig.root}/total` }),
        ]),
      ]
    await rig.run(plays('a'))
    const { reported, problems } = await rig.run(plays('abc'))
    expect(problems).to.deep.equal([])
    expect(reported).to.deep.equal(['web1 changed file text', 'web1 changed total total'])
  })

  it('of a reboot is read after a change', async () => {
    const asks: Plays = (web) => [
      play('web', { hosts: web }, () => [
        file(`${rig.root}/cmdline`, 'quiet', rig.own),
        reboot({ unless: sh`grep -q quiet ${`${rig.root}/cmdline`}` }),
      ]),
    ]
    const { reported } = await rig.run(asks)
    expect(reported.map((line) => line.split(' ').slice(1, 3).join(' '))).to.deep.equal(['changed file', 'ok reboot'])
  })

  it('is read again in a later play after a change in an earlier one', async () => {
    const [from, to] = [`${rig.root}/src`, `${rig.root}/dst`] as const
    const plays =
      (text: string): Plays =>
      (web) => [
        play('first', { hosts: web }, () => file(from, text, rig.own)),
        play('second', { hosts: web }, () =>
          command('copy', sh`cp ${from} ${to}`, { unless: sh`cmp -s ${from} ${to}` }),
        ),
      ]
    await rig.run(plays('a'))
    expect((await rig.run(plays('b'), { mode: 'plan' })).reported).to.deep.equal([
      'web1 planned file src',
      'web1 deferred command copy',
    ])
    expect((await rig.run(plays('b'))).reported).to.deep.equal(['web1 changed file src', 'web1 changed command copy'])
  })

  it('needs no round trip after unrelated changes if it declares dependsOn', async () => {
    const { summary, problems } = await rig.run((web) => [
      play('web', { hosts: web }, () => [
        file(`${rig.root}/other`, 'a', rig.own),
        resource<object, boolean>('marked', {
          id: () => 'it',
          affects: 'itself',
          read: () =>
            read(sh`[ -e ${`${rig.root}/mark`} ]`, ({ code }) => code === 0, {
              dependsOn: [`${rig.root}/mark`],
            }),
          diff: (_params, there) => (there ? undefined : { action: 'create', fields: [] }),
          apply: () => [sh`touch ${`${rig.root}/mark`}`],
        })({}),
      ]),
    ])
    expect(problems).to.deep.equal([])
    // Facts, refresh, change, verification.
    expect(summary.hosts[0]).to.include({ changed: 2, trips: 4 })
  })
})
