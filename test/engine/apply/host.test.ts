import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { expect } from 'chai'
import { play } from '../../../src/model/playbook/play.ts'
import { handler } from '../../../src/model/resource/handler.ts'
import { directory } from '../../../src/resources/files/directory.ts'
import { file } from '../../../src/resources/files/file.ts'
import { link } from '../../../src/resources/files/link.ts'
import { command } from '../../../src/resources/system/command.ts'
import { sh } from '../../../src/shell/sh.ts'
import { type Outcome, ownRig, type Plays } from '../../support/rig.ts'

describe('a host', () => {
  const rig = ownRig()

  const text = (path: string) => readFileSync(path, 'utf8')
  const trips = ({ summary }: Outcome) => summary.hosts.map((host) => host.trips)

  it('needs two round trips in the declared state, with 200 steps as with one', async () => {
    for (const n of [1, 200]) {
      const paths = Array.from({ length: n }, (_, i) => `${rig.root}/${i}` as const)
      for (const path of paths) writeFileSync(path, path, { mode: 0o644 })
      const { summary } = await rig.run((web) => [
        play('web', { hosts: web }, () => paths.map((path) => file(path, path, rig.own))),
      ])
      expect(summary.hosts[0]).to.include({ ok: n, changed: 0, failed: 0, trips: 2 })
    }
  })

  it('needs two round trips in the declared state, for any number of plays and of steps that affect the host', async () => {
    const plays: Plays = (web) =>
      [1, 2, 3].map((n) =>
        play(`play ${n}`, { hosts: web }, () => [
          command('make', sh`touch ${`${rig.root}/made`}`, { creates: `${rig.root}/made` }),
          file(`${rig.root}/${n}`, 'a', rig.own),
          command('ask', sh`touch ${`${rig.root}/asked`}`, { unless: sh`test -e ${`${rig.root}/asked`}` }),
        ]),
      )
    await rig.run(plays)
    expect(trips(await rig.run(plays))).to.deep.equal([2])
  })

  it('needs four round trips when 100 steps change that affect only themselves', async () => {
    const { summary } = await rig.run((web) => [
      play('web', { hosts: web }, () =>
        Array.from({ length: 100 }, (_, i) => link(`${rig.root}/${i}`, { target: 'a' })),
      ),
    ])
    // Facts, refresh, change, verification.
    expect(summary.hosts[0]).to.include({ changed: 100, trips: 4 })
  })

  it('needs one round trip for each change that affects the host, not for each step', async () => {
    const first = await rig.run((web) => [
      play('web', { hosts: web }, () =>
        [1, 2, 3].flatMap((n) => [
          file(`${rig.root}/before-${n}`, 'a', rig.own),
          command(`make ${n}`, sh`touch ${`${rig.root}/${n}`}`, { creates: `${rig.root}/${n}` }),
          file(`${rig.root}/after-${n}`, 'a', rig.own),
        ]),
      ),
    ])
    // Facts, refresh, three commands, the steps after the last one, verification.
    expect(trips(first)).to.deep.equal([7])
  })

  it('reads the steps after a change that affects the host again', async () => {
    const { reported } = await rig.run((web) => [
      play('web', { hosts: web }, () => [
        command('unpack', sh`printf a > ${`${rig.root}/conf`}`, { creates: `${rig.root}/conf` }),
        file(`${rig.root}/conf`, 'a', rig.own),
        file(`${rig.root}/other`, 'b', rig.own),
      ]),
    ])
    expect(reported).to.deep.equal(['web1 changed command unpack', 'web1 ok file conf', 'web1 changed file other'])
  })

  it('detects that such a change breaks a later step', async () => {
    writeFileSync(`${rig.root}/conf`, 'a', { mode: 0o644 })
    const { reported } = await rig.run((web) => [
      play('web', { hosts: web }, () => [
        command('spoil', sh`printf b > ${`${rig.root}/conf`}; touch ${`${rig.root}/done`}`, {
          creates: `${rig.root}/done`,
        }),
        command('far', sh`touch ${`${rig.root}/far`}`, { creates: `${rig.root}/far` }),
        file(`${rig.root}/conf`, 'a', rig.own),
      ]),
    ])
    expect(reported.at(-1)).to.equal('web1 changed file conf')
    expect(text(`${rig.root}/conf`)).to.equal('a')
  })

  it('fails if a step does not converge', async () => {
    const { reported, problems, events, summary } = await rig.run((web) => [
      play('web', { hosts: web }, () => [
        command('in vain', sh`:`, { unless: sh`false` }),
        file(`${rig.root}/after`, 'a', rig.own),
      ]),
    ])
    expect(reported).to.deep.equal([
      'web1 changed command in vain',
      'web1 changed file after',
      'web1 failed command in vain',
    ])
    expect(problems).to.deep.equal(['web1: command in vain did not converge: after its commands it would still run'])
    expect(summary.hosts[0]).to.include({ failed: 1 })
    const [failed] = events.flatMap((event) => (event.kind === 'failed' ? [event.problem] : []))
    expect(failed?.where)
      .to.have.property('file')
      .that.match(/host\.test\.ts$/)
  })

  it('fails with the field that another step has changed again', async () => {
    const { events } = await rig.run((web) => [
      play('web', { hosts: web }, () => [
        directory(`${rig.root}/d`, { ...rig.own, mode: '0700' }),
        command('spoil', sh`chmod 0750 ${`${rig.root}/d`}; touch ${`${rig.root}/changed-by-hand`}`, {
          creates: `${rig.root}/changed-by-hand`,
        }),
      ]),
    ])
    const [failed] = events.flatMap((event) => (event.kind === 'failed' ? [event.problem] : []))
    expect(failed?.details).to.deep.equal(['mode: is 0750, should be 0700'])
  })

  it('stops at a step that fails: earlier steps are done, later steps do not start', async () => {
    const { reported, events, summary } = await rig.run((web) => [
      play('web', { hosts: web }, () => [
        file(`${rig.root}/before`, 'a', rig.own),
        command('break', sh`echo some words; echo their cause >&2; exit 3`, { creates: `${rig.root}/never` }),
        file(`${rig.root}/after`, 'a', rig.own),
      ]),
      play('later', { hosts: web }, () => [file(`${rig.root}/later`, 'a', rig.own)]),
    ])
    expect(reported).to.deep.equal(['web1 changed file before', 'web1 failed command break'])
    expect([existsSync(`${rig.root}/before`), existsSync(`${rig.root}/after`)]).to.deep.equal([true, false])
    expect(existsSync(`${rig.root}/later`)).to.equal(false)
    expect(summary.hosts[0]).to.include({ changed: 1, failed: 1, skipped: 1 })
    const [failed] = events.flatMap((event) => (event.kind === 'failed' ? [event.problem] : []))
    expect(failed?.message).to.equal('web1: command break failed: exit status 3')
    expect(failed?.details).to.include.members(['  some words', '  their cause'])
  })

  it('kills a step at its timeout and reports it', async () => {
    const { problems } = await rig.run((web) => [
      play('web', { hosts: web }, () => [
        command('sleep', sh`sleep 30`, { creates: `${rig.root}/never`, timeout: '50ms' }),
      ]),
    ])
    expect(problems).to.deep.equal(['web1: command sleep failed: no end after 0.05 s, so it was killed'])
  })

  it('fails before any change if the state of a step cannot be compared', async () => {
    mkdirSync(`${rig.root}/place`)
    const { problems, reported } = await rig.run((web) => [
      play('web', { hosts: web }, () => [
        file(`${rig.root}/first`, 'a', rig.own),
        file(`${rig.root}/place`, 'a', rig.own),
      ]),
    ])
    expect(problems).to.deep.equal([`web1: file ${rig.root}/place: ${rig.root}/place is a directory, not a file`])
    expect(reported).to.deep.equal([])
    expect(existsSync(`${rig.root}/first`)).to.equal(false)
  })

  it('reports the previous texts with the option diff', async () => {
    writeFileSync(`${rig.root}/a`, 'old\n')
    const { events } = await rig.run(
      (web) => [play('web', { hosts: web }, () => [file(`${rig.root}/a`, 'new\n', rig.own)])],
      { diff: true },
    )
    const [step] = events.flatMap((event) => (event.kind === 'step' ? [event] : []))
    expect(step).to.deep.include({ outcome: 'changed', before: ['old\n'] })
  })

  it('stops between two steps on a stop signal, and the next run continues there', async () => {
    const plays: Plays = (web) => [
      play('web', { hosts: web }, () => [
        command('one', sh`touch ${`${rig.root}/1`}`, { creates: `${rig.root}/1` }),
        command('two', sh`touch ${`${rig.root}/2`}`, { creates: `${rig.root}/2` }),
      ]),
      play('later', { hosts: web }, () => [file(`${rig.root}/3`, 'a', rig.own)]),
    ]
    const stop = new AbortController()
    const stopped = await rig.run(plays, {
      stop: stop.signal,
      on: ({ kind }) => {
        if (kind === 'applying') stop.abort()
      },
    })
    expect(stopped.reported).to.deep.equal(['web1 changed command one'])
    expect(stopped.problems).to.deep.equal(['web1: stopped between two steps'])
    expect(stopped.summary).to.include({ interrupted: true })
    expect([1, 2, 3].map((n) => existsSync(`${rig.root}/${n}`))).to.deep.equal([true, false, false])
    const again = await rig.run(plays)
    expect(again.reported).to.deep.equal(['web1 ok command one', 'web1 changed command two', 'web1 changed file 3'])
  })

  it('does not start if the stop signal was sent before', async () => {
    const { reported, summary } = await rig.run(
      (web) => [play('web', { hosts: web }, () => [file(`${rig.root}/a`, 'a', rig.own)])],
      { stop: AbortSignal.abort() },
    )
    expect(reported).to.deep.equal([])
    expect(summary.hosts[0]).to.include({ skipped: 1, changed: 0 })
    expect(existsSync(`${rig.root}/a`)).to.equal(false)
  })

  it('is read again in a later play after a change in an earlier one', async () => {
    const { reported } = await rig.run((web) => [
      play('first', { hosts: web }, () => [
        command('make', sh`printf a > ${`${rig.root}/conf`}`, { creates: `${rig.root}/conf` }),
      ]),
      play('second', { hosts: web }, () => [file(`${rig.root}/conf`, 'a', rig.own)]),
    ])
    expect(reported).to.deep.equal(['web1 changed command make', 'web1 ok file conf'])
  })

  it('runs commands with a umask that lets others read', async () => {
    await rig.run((web) => [
      play('web', { hosts: web }, () => [
        command('make', sh`touch ${`${rig.root}/made`}`, { creates: `${rig.root}/made` }),
      ]),
    ])
    expect(statSync(`${rig.root}/made`).mode & 0o777).to.equal(0o644)
  })

  it('does not run a handler without a notification', async () => {
    const { reported } = await rig.run((web) => [
      play('web', { hosts: web }, () => [
        command('done', sh`false`, {
          unless: sh`true`,
          notify: handler('never', sh`touch ${`${rig.root}/no`}`),
        }),
      ]),
    ])
    expect(reported).to.deep.equal(['web1 ok command done'])
    expect(existsSync(`${rig.root}/no`)).to.equal(false)
  })
})
