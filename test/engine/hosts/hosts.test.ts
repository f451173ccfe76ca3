import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import type { SessionOptions } from '../../../src/engine/hosts/scripts.ts'
import type { RunEvent } from '../../../src/model/event.ts'
import type { Group, Host } from '../../../src/model/inventory/host.ts'
import { play } from '../../../src/model/playbook/play.ts'
import { probe } from '../../../src/model/playbook/probe.ts'
import { role } from '../../../src/model/playbook/role.ts'
import { Problem } from '../../../src/model/problem.ts'
import { directory } from '../../../src/resources/files/directory.ts'
import { file } from '../../../src/resources/files/file.ts'
import { link } from '../../../src/resources/files/link.ts'
import { command } from '../../../src/resources/system/command.ts'
import { sh } from '../../../src/shell/sh.ts'
import { passwordRejected } from '../../../src/transport/session/become.ts'
import { ownRig, type Plays } from '../../support/rig.ts'
import { thrown } from '../../transport/helpers.ts'

describe('a run', () => {
  const rig = ownRig()

  const names = ['web1', 'web2', 'web3']
  const inOrder = (events: readonly RunEvent[]) =>
    events.flatMap((event) =>
      event.kind === 'turn' || event.kind === 'turnEnd' ? [`${event.host} ${event.kind}`] : [],
    )
  const marked = ({ name }: Host) => file(`${rig.root}/${name}`, 'a', rig.own)
  const broken = command('break', sh`exit 1`, { creates: '/nonexistent' })

  describe('in plan mode', () => {
    const plays: Plays = (web) => [
      play('web', { hosts: web }, () => [
        file(`${rig.root}/new`, 'text\n', rig.own),
        file(`${rig.root}/there`, 'wanted\n', rig.own),
        directory(`${rig.root}/dir`, rig.own),
        link(`${rig.root}/link`, { target: 'new' }),
        command('run', sh`touch ${`${rig.root}/run`}`, { creates: `${rig.root}/run` }),
        file(`${rig.root}/good`, 'good\n', rig.own),
      ]),
    ]
    beforeEach(() => {
      writeFileSync(`${rig.root}/there`, 'old\n', { mode: 0o600 })
      writeFileSync(`${rig.root}/good`, 'good\n', { mode: 0o644 })
    })

    it('changes nothing and needs two round trips', async () => {
      const before = hashOf(rig.root)
      const { summary, reported } = await rig.run(plays, { mode: 'plan' })
      expect(hashOf(rig.root)).to.equal(before)
      expect(summary.hosts[0]).to.include({ ok: 0, changed: 5, deferred: 1, failed: 0, trips: 2 })
      expect(reported).to.include('web1 planned file there')
    })

    it('predicts the exact changes of the run that follows', async () => {
      const changes = (events: readonly RunEvent[]) =>
        events.flatMap((event) =>
          event.kind === 'step' && 'difference' in event
            ? [{ name: event.step.name, verb: event.difference.action, fields: event.difference.fields }]
            : [],
        )
      const planned = await rig.run(plays, { mode: 'plan' })
      const done = await rig.run(plays)
      expect(changes(planned.events)).to.have.length(5)
      expect(changes(done.events)).to.deep.equal(changes(planned.events))
    })

    it('reports the previous texts with the option diff, in one more round trip', async () => {
      const { events, summary } = await rig.run(plays, { mode: 'plan', diff: true })
      const before = events.flatMap((event) =>
        event.kind === 'step' && event.outcome === 'planned' ? [event.before] : [],
      )
      expect(before.slice(0, 2)).to.deep.equal([[''], ['old\n']])
      expect(summary.hosts[0]?.trips).to.equal(3)
    })

    it('opens read-only sessions', async () => {
      const locks: boolean[] = []
      const opens = (_host: Host, { lock }: SessionOptions) => void locks.push(lock)
      await rig.run(plays, { mode: 'plan', opens })
      await rig.run(plays, { opens })
      expect(locks).to.deep.equal([false, true])
    })
  })

  describe('on many hosts', () => {
    it('handles all hosts of a play in parallel', async () => {
      const { events } = await rig.run((web) => [play('web', { hosts: web }, marked)], { names })
      expect(inOrder(events).slice(0, 3)).to.deep.equal(names.map((name) => `${name} turn`))
    })

    it('continues on the others if a step fails on one', async () => {
      const { summary, reported } = await rig.run(
        (web) => [
          play('web', { hosts: web }, (host) => [host.name === 'web2' && broken, marked(host)]),
          play('later', { hosts: web }, ({ name }) => file(`${rig.root}/later-${name}`, 'a', rig.own)),
        ],
        { names },
      )
      expect(reported.filter((line) => line.includes('later'))).to.have.members([
        'web1 changed file later-web1',
        'web3 changed file later-web3',
      ])
      expect(summary.hosts.map(({ failed, changed, skipped }) => [failed, changed, skipped])).to.deep.equal([
        [0, 2, 0],
        [1, 0, 1],
        [0, 2, 0],
      ])
    })

    it('reports an unreachable host and continues on the others', async () => {
      const { summary, problems, reported } = await rig.run((web) => [play('web', { hosts: web }, marked)], {
        names,
        dead: 'web2',
      })
      expect(problems).to.deep.equal(['web2: no route to it'])
      expect(reported).to.have.members(['web1 changed file web1', 'web3 changed file web3'])
      expect(summary.hosts.map(({ unreachable, failed }) => [unreachable, failed])).to.deep.equal([
        [false, 0],
        [true, 0],
        [false, 0],
      ])
    })

    it('reports a host whose connection is lost and continues on the others', async () => {
      const { summary, problems } = await rig.run(
        (web) => [
          play('web', { hosts: web }, (host) => [
            host.name === 'web2' && command('die', sh`kill -9 $PPID`, { creates: '/nonexistent' }),
            marked(host),
          ]),
        ],
        { names: names.slice(0, 2) },
      )
      expect(problems).to.have.length(1)
      expect(summary.hosts.map(({ unreachable, failed }) => [unreachable, failed])).to.deep.equal([
        [false, 0],
        [true, 0],
      ])
    })

    it('handles only the hosts of its limit', async () => {
      const { summary, events } = await rig.run((web) => [play('web', { hosts: web }, marked)], {
        names,
        limit: ({ name }) => name !== 'web2',
      })
      expect(summary.hosts.map(({ host }) => host)).to.deep.equal(['web1', 'web3'])
      expect(events.filter(({ kind }) => kind === 'connected')).to.have.length(2)
      expect(existsSync(`${rig.root}/web2`)).to.equal(false)
    })

    it('reports a role whose body throws on one host, with its name and place, and continues on the others', async () => {
      const fragile = role('fragile', ({ name }: { readonly name: string }) => {
        if (name === 'web2') throw new Error('web2 is too old for this')
        return file(`${rig.root}/${name}`, 'a', rig.own)
      })
      const { problems, reported, events } = await rig.run(
        (web) => [play('web', { hosts: web }, ({ name }) => fragile({ name }))],
        { names },
      )
      expect(problems).to.deep.equal(['role fragile: web2 is too old for this'])
      const [failed] = events.flatMap((event) => (event.kind === 'failed' ? [event.problem] : []))
      expect(failed?.where)
        .to.have.property('file')
        .that.match(/hosts\.test\.ts$/)
      expect(reported).to.have.length(2)
    })
  })

  it('fails before it connects to a host if a playbook or a play throws, with the place', async () => {
    const none = (web: Group) => web.only(({ name }) => name === 'web9')
    const connected: string[] = []
    const opens = ({ name }: Host) => void connected.push(name)
    const inPlay = await thrown(
      rig.run((web) => [play('web', { hosts: web }, () => file('/x', none(web).name))], { opens }),
    )
    expect(inPlay).to.be.instanceOf(Problem)
    expect(inPlay).to.have.property('message', 'play "web" for web1: web: no host does, where one was asked for')
    expect(inPlay)
      .to.have.nested.property('where.file')
      .that.match(/hosts\.test\.ts$/)
    const inPlaybook = await thrown(rig.run((web) => [play(none(web).name, { hosts: web }, () => [])], { opens }))
    expect(inPlaybook).to.be.instanceOf(Problem)
    expect(connected).to.deep.equal([])
  })

  describe('with serial', () => {
    it('handles one batch after the other', async () => {
      const { events } = await rig.run((web) => [play('web', { hosts: web, serial: 1 }, marked)], { names })
      expect(inOrder(events)).to.deep.equal(names.flatMap((name) => [`${name} turn`, `${name} turnEnd`]))
    })

    it('counts a host whose sudo rejects the password as failed, not as unreachable', async () => {
      const refuses = (host: Host) => {
        if (host.name === 'web2') throw passwordRejected('web2', { method: 'sudo' })
      }
      const plays: Plays = (web) => [play('web', { hosts: web }, (host) => [marked(host)])]
      const { summary, events } = await rig.run(plays, { names, opens: refuses })
      expect(summary.hosts.map(({ unreachable, failed }) => [unreachable, failed])).to.deep.equal([
        [false, 0],
        [false, 1],
        [false, 0],
      ])
      const messages = events.flatMap((event) => (event.kind === 'failed' ? [event.problem.message] : []))
      expect(messages).to.deep.equal(['sudo rejected the password on web2'])
    })

    it('skips the batches after a failed one, and reports it', async () => {
      const { events, summary } = await rig.run(
        (web) => [play('web', { hosts: web, serial: 1 }, (host) => [host.name === 'web2' && broken, marked(host)])],
        { names },
      )
      expect(events.find(({ kind }) => kind === 'skipped')).to.deep.equal({
        kind: 'skipped',
        play: 'web',
        hosts: ['web3'],
        why: 'web2 failed in this play',
      })
      expect(summary.hosts.map(({ failed, skipped }) => [failed, skipped])).to.deep.equal([
        [0, 0],
        [1, 0],
        [0, 1],
      ])
      expect(existsSync(`${rig.root}/web3`)).to.equal(false)
    })

    it('skips them also if a host is unreachable', async () => {
      const { events } = await rig.run((web) => [play('web', { hosts: web, serial: 1 }, marked)], {
        names,
        dead: 'web1',
      })
      expect(events.find(({ kind }) => kind === 'skipped')).to.deep.include({ hosts: ['web2', 'web3'] })
      expect(existsSync(`${rig.root}/web2`)).to.equal(false)
    })

    it('continues only when a changed host is healthy, and waits for that', async () => {
      const { events, problems } = await rig.run(
        (web) => [
          play(
            'web',
            {
              hosts: web,
              serial: 1,
              readiness: ({ name }) =>
                probe(
                  'it answers',
                  name === 'web1'
                    ? sh`test -e ${`${rig.root}/tried`} || { touch ${`${rig.root}/tried`}; false; }`
                    : sh`echo it is down; false`,
                  { timeout: '1s' },
                ),
            },
            marked,
          ),
        ],
        { names },
      )
      expect(events.filter(({ kind }) => kind === 'waiting')).to.have.length(2)
      expect(problems).to.deep.equal(['web2 is not healthy after its turn: it answers'])
      const [failed] = events.flatMap((event) => (event.kind === 'failed' ? [event.problem] : []))
      expect(failed?.details).to.include('  it is down')
      expect(existsSync(`${rig.root}/web3`)).to.equal(false)
    })

    it('does not probe a host without changes', async () => {
      const plays: Plays = (web) => [
        play('web', { hosts: web, serial: 1, readiness: () => probe('never', sh`false`, { timeout: 0 }) }, () => [
          file(`${rig.root}/same`, 'a', rig.own),
        ]),
      ]
      writeFileSync(`${rig.root}/same`, 'a', { mode: 0o644 })
      const { events, problems } = await rig.run(plays)
      expect([problems, events.filter(({ kind }) => kind === 'waiting')]).to.deep.equal([[], []])
    })
  })
})

/** A hash of the names, modes, times and contents below a directory. */
function hashOf(directory: string): string {
  const hash = createHash('sha256')
  for (const name of readdirSync(directory, { recursive: true, encoding: 'utf8' }).sort()) {
    const stat = statSync(join(directory, name))
    hash
      .update(`${name} ${stat.mode} ${stat.mtimeMs} `)
      .update(stat.isFile() ? readFileSync(join(directory, name)) : '')
  }
  return hash.digest('hex')
}
