import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { expect } from 'chai'
import type { SessionOptions } from '../../../src/engine/hosts/scripts.ts'
import type { Group, Host } from '../../../src/model/inventory/host.ts'
import { play } from '../../../src/model/playbook/play.ts'
import { role } from '../../../src/model/playbook/role.ts'
import { delegateTo, runOnce } from '../../../src/model/playbook/steps.ts'
import { handler } from '../../../src/model/resource/handler.ts'
import { file } from '../../../src/resources/files/file.ts'
import { link } from '../../../src/resources/files/link.ts'
import { command } from '../../../src/resources/system/command.ts'
import { sh } from '../../../src/shell/sh.ts'
import { type Options, ownRig, type Plays } from '../../support/rig.ts'

describe('delegated steps', () => {
  const rig = ownRig()
  const names = ['web1', 'web2', 'db1']

  const db = (all: Group) => all.only(({ name }) => name === 'db1')
  const log = () =>
    existsSync(`${rig.root}/log`) ? readFileSync(`${rig.root}/log`, 'utf8').split('\n').slice(0, -1) : []
  const web = (all: Group) => ({ hosts: { hosts: all.hosts.slice(0, 2) }, serial: 1 })
  const does = (what: string) =>
    command(what, sh`echo ${what} >> ${`${rig.root}/log`}`, {
      unless: sh`grep -qx ${what} ${`${rig.root}/log`}`,
    })

  it('run on the other host, at their position in the turn', async () => {
    const sessions: string[] = []
    const opens = ({ name }: Host, { lock }: SessionOptions) =>
      void sessions.push(`${name} ${lock ? 'locked' : 'unlocked'}`)
    const { reported, summary } = await rig.run(
      (all) => [
        play('web', web(all), ({ name }) => [
          does(`before ${name}`),
          delegateTo(db(all), does(`for ${name}`)),
          does(`after ${name}`),
        ]),
      ],
      { names, opens, limit: ({ name }) => name !== 'db1' },
    )
    expect(log()).to.deep.equal(['web1', 'web2'].flatMap((name) => [`before ${name}`, `for ${name}`, `after ${name}`]))
    expect(reported).to.include('web1 changed command for web1 on db1')
    // A host that is changed is locked.
    expect(sessions).to.include('db1 locked')
    expect(summary.hosts.map(({ host }) => host)).to.deep.equal(['web1', 'web2'])
  })

  it('change nothing in the declared state, and appear in the plan like other steps', async () => {
    const plays: Plays = (all) => [
      play('web', web(all), () => [delegateTo(db(all), file(`${rig.root}/there`, 'a', rig.own))]),
    ]
    const { reported } = await rig.run(plays, { names, mode: 'plan' })
    expect(reported[0]).to.equal('web1 planned file there on db1')
    expect(existsSync(`${rig.root}/there`)).to.equal(false)
    await rig.run(plays, { names })
    const { summary } = await rig.run(plays, { names })
    expect(summary.hosts.map(({ changed }) => changed)).to.deep.equal([0, 0])
  })

  it('count as changes of that host: its later steps are read again, in the same turn and in a later play', async () => {
    for (const name of ['old', 'new']) {
      mkdirSync(`${rig.root}/${name}`)
      writeFileSync(`${rig.root}/${name}/text`, name, { mode: 0o644 })
    }
    symlinkSync('old', `${rig.root}/current`)
    const switched = link(`${rig.root}/current`, { target: 'new' })
    const behind = file(`${rig.root}/current/text`, 'old', rig.own)
    const only = (all: Group, own: string) => ({
      hosts: { hosts: all.hosts.filter(({ name }) => name === own) },
    })
    const inOneTurn: Plays = (all) => [play('web', only(all, 'web1'), (host) => [delegateTo(host, switched), behind])]
    const inTwoPlays: Plays = (all) => [
      play('web', only(all, 'web1'), () => delegateTo(db(all), switched)),
      play('db', only(all, 'db1'), () => behind),
    ]
    for (const plays of [inOneTurn, inTwoPlays]) {
      rmSync(`${rig.root}/current`)
      symlinkSync('old', `${rig.root}/current`)
      writeFileSync(`${rig.root}/new/text`, 'new', { mode: 0o644 })
      const plan = await rig.run(plays, { names, mode: 'plan' })
      expect(plan.reported.map((line) => line.split(' ')[1])).to.deep.equal(['planned', 'deferred'])
      const { reported, problems } = await rig.run(plays, { names })
      expect(problems).to.deep.equal([])
      expect(reported.map((line) => line.split(' ')[1])).to.deep.equal(['changed', 'changed'])
    }
  })

  it('of a role receive the facts of their host, and run its handlers there', async () => {
    const seen: string[] = []
    const noting = role('noting', (_params: object, { facts }) => {
      seen.push(facts.hostname)
      return file(`${rig.root}/x`, 'x', {
        ...rig.own,
        notify: handler('note', sh`echo noted >> ${`${rig.root}/log`}`),
      })
    })
    const { reported } = await rig.run((all) => [play('web', web(all), () => delegateTo(db(all), noting({})))], {
      names,
    })
    expect(seen.length).to.be.greaterThan(0)
    expect(reported).to.include('web1 done handler note on db1')
    expect(log()).to.deep.equal(['noted'])
  })

  it('fail the turn if the other host is unreachable or the step fails; later steps do not run', async () => {
    const run = (options: Options) =>
      rig.run(
        (all) => [
          play('web', web(all), () => [
            delegateTo(db(all), command('break', sh`exit 4`, { creates: '/nonexistent' })),
            does('after'),
          ]),
        ],
        { names, ...options },
      )
    expect((await run({ dead: 'db1' })).problems).to.include(
      'db1 cannot be reached, and some steps are to be done there',
    )
    expect((await run({})).problems[0]).to.equal('web1: command break on db1 failed: exit status 4')
    expect(log()).to.deep.equal([])
  })

  it('with runOnce run on the first reachable host, also in a role', async () => {
    const migrating = role('migrating', ({ name }: { readonly name: string }) => [
      runOnce(does(`migrate by ${name}`)),
      does(name),
    ])
    const plays: Plays = (all) => [play('web', web(all), ({ name }) => migrating({ name }))]
    await rig.run(plays, { names })
    expect(log()).to.deep.equal(['migrate by web1', 'web1', 'web2'])
    rig.renew()
    const gone: Plays = (all) => [play('web', { hosts: all }, ({ name }) => runOnce(does(`by ${name}`)))]
    await rig.run(gone, { names, dead: 'web1' })
    expect(log()).to.deep.equal(['by web2'])
  })
})

describe('a command', () => {
  const rig = ownRig()

  const count = () => readFileSync(`${rig.root}/tries`, 'utf8').length
  const tried = (status: number) => sh`printf . >> ${`${rig.root}/tries`}; exit ${status}`
  const never = { creates: '/nonexistent' } as const
  const run = (step: ReturnType<typeof command>) => rig.run((web) => [play('web', { hosts: web }, () => step)])

  it('is retried as often as declared, in one round trip, and fails with its own status', async () => {
    const { problems } = await run(command('flaky', tried(7), { ...never, retries: { times: 2, every: 1 } }))
    expect(problems).to.deep.equal(['web1: command flaky failed: exit status 7'])
    expect(count()).to.equal(3)
  })

  it('is retried until its condition holds', async () => {
    const until = sh`[ $(wc -c < ${`${rig.root}/tries`}) -ge 3 ]`
    const { reported } = await run(
      command('slow', sh`printf . >> ${`${rig.root}/tries`}`, {
        creates: `${rig.root}/tries`,
        until,
        retries: { times: 9, every: 1 },
      }),
    )
    expect(reported).to.deep.equal(['web1 changed command slow'])
    expect(count()).to.equal(3)
  })

  it('of any kind of step is killed at the timeout of the step', async () => {
    const { problems } = await run(command('hang', sh`sleep 20`, { ...never, timeout: 200 }))
    expect(problems).to.deep.equal(['web1: command hang failed: no end after 0.20 s, so it was killed'])
    expect(
      file('/x', '', { timeout: '5s' })
        .apply(undefined)
        .map(({ timeout }) => timeout),
    ).to.include('5s')
    expect(() => file('/x', '', { timeout: 'soon' as '5s' })).to.throw(TypeError, 'not a duration')
  })
})
