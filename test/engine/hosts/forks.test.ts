import { readFileSync, writeFileSync } from 'node:fs'
import { expect } from 'chai'
import type { OpenedSession } from '../../../src/engine/hosts/scripts.ts'
import type { Group } from '../../../src/model/inventory/host.ts'
import { gate, play } from '../../../src/model/playbook/play.ts'
import { role } from '../../../src/model/playbook/role.ts'
import { after as afterAnswers, delegateTo, runOnce } from '../../../src/model/playbook/steps.ts'
import { Problem } from '../../../src/model/problem.ts'
import { handler } from '../../../src/model/resource/handler.ts'
import { ask, askEach, mapAnswers } from '../../../src/model/resource/question.ts'
import { read } from '../../../src/model/resource/read.ts'
import { file } from '../../../src/resources/files/file.ts'
import type { AbsolutePath } from '../../../src/resources/files/stat.ts'
import { command } from '../../../src/resources/system/command.ts'
import { sh } from '../../../src/shell/sh.ts'
import { type Options, ownRig, type Plays } from '../../support/rig.ts'

describe('a run with more hosts than forks', () => {
  const rig = ownRig({ private: true })
  const names = ['web1', 'web2', 'web3', 'web4', 'web5', 'web6']
  const own = (web: Pick<Group, 'hosts'>, name: string) =>
    play(name, { hosts: web }, (host) => file(`${rig.root}/${host.name}`, name, rig.own))

  /** Runs it, and counts the sessions. */
  async function counted(plays: Plays, options: Options) {
    let open = 0
    let most = 0
    const opened: string[] = []
    rig.ended = () => open--
    const outcome = await rig.run(plays, {
      names,
      ...options,
      opens: ({ name }) => {
        opened.push(name)
        open++
        most = Math.max(most, open)
      },
    })
    return { ...outcome, opened, most }
  }

  it('has no more open sessions than forks, and reaches the same state', async () => {
    const few = await counted((web) => [own(web, 'a'), own(web, 'b')], { forks: 2 })
    expect(few.most).to.be.within(1, 2)
    expect(few.problems).to.deep.equal([])
    expect(few.summary.hosts.map(({ changed }) => changed)).to.deep.equal([2, 2, 2, 2, 2, 2])
    const all = await counted((web) => [own(web, 'c')], {})
    expect(all.most).to.equal(6)
    expect(all.opened).to.have.length(6)
  })

  it('connects once to hosts that need no change', async () => {
    await rig.run((web) => [own(web, 'a')], { names })
    const { opened, reported, summary } = await counted((web) => [own(web, 'a')], { forks: 2 })
    expect(opened).to.deep.equal(names)
    expect(reported).to.deep.equal(names.map((name) => `${name} ok file ${name}`))
    expect(summary.hosts.map(({ trips }) => trips)).to.deep.equal([2, 2, 2, 2, 2, 2])
  })

  it('reads a host again before its turn: another run may have changed it after its lock was released', async () => {
    const { reported } = await rig.run((web) => [own(web, 'a')], {
      names,
      forks: 1,
      owner: 'ana',
      on: (event) => {
        if (event.kind === 'play') writeFileSync(`${rig.root}/web3`, 'a', { mode: 0o644 })
      },
    })
    expect(reported).to.include('web3 ok file web3').and.to.include('web4 changed file web4')
  })

  it('takes the lock of a host again for its turn, and leaves the host as it is if another run has it', async () => {
    const sessions: OpenedSession[] = []
    let opened = 0
    const { problems, summary } = await rig.run((web) => [own(web, 'a')], {
      names: names.slice(0, 2),
      forks: 1,
      owner: 'ana',
      opens: async () => {
        opened++
        // The third session is that of the first turn.
        if (opened !== 3) return
        const bob = await rig.session('web1', 'bob')
        await bob.session.opened
        sessions.push(bob)
      },
    })
    for (const one of sessions) await one.close()
    expect(problems[0]).to.match(/^web1 is locked by bob/)
    expect(summary.hosts[0]).to.include({ changed: 0, unreachable: true })
  })

  /** Uses the directory of the test. */
  const everything = (): Plays => {
    const facts = role('facts', ({ path }: { readonly path: AbsolutePath }, { facts }) =>
      file(path, facts.os.id, rig.own),
    )
    const exists = ask(
      'is there a file?',
      read(sh`[ -e ${`${rig.root}/first`} ]`, ({ code }) => code === 0),
    )
    const reload = handler('reload', sh`echo reloaded >> ${`${rig.root}/log`}`)
    return (web) => [
      play('first', { hosts: web, serial: 2 }, ({ name }) => [
        runOnce(file(`${rig.root}/first`, 'x', rig.own)),
        file(`${rig.root}/${name}`, 'x', { ...rig.own, notify: reload }),
        facts({ path: `${rig.root}/${name}-facts` }),
      ]),
      gate(
        'there is a first file',
        web,
        mapAnswers(askEach(web, exists), (all) =>
          all.every(({ answer }) => answer) ? undefined : new Problem('no file'),
        ),
      ),
      play('second', { hosts: web, maxUnavailable: 2, maxFailures: 1 }, ({ name }) => [
        afterAnswers(askEach(web, exists), (all) =>
          file(`${rig.root}/${name}-asked`, all.map(({ answer }) => answer).join(), rig.own),
        ),
        name === 'web2' && command('break', sh`exit 1`, { creates: '/nonexistent' }),
        name === 'web3' &&
          delegateTo(
            web.only((host) => host.name === 'web1'),
            file(`${rig.root}/delegated`, 'x', rig.own),
          ),
      ]),
    ]
  }

  it('has the same result with each feature of a play as a run that keeps its sessions', async () => {
    const result = async (forks: number) => {
      const { reported, problems, summary } = await rig.run(everything(), { names, forks })
      const log = readFileSync(`${rig.root}/log`, 'utf8')
      rig.renew()
      const hosts = summary.hosts.map(({ trips: _, ...rest }) => rest)
      return { reported: [...reported].sort(), problems, hosts, log }
    }
    const all = await result(6)
    expect(all.reported).to.have.length.above(20)
    for (const forks of [1, 2]) expect(await result(forks)).to.deep.equal(all)
  })

  it('lets the first reachable host run the steps of runOnce', async () => {
    const plays: Plays = (web) => [
      play('web', { hosts: web }, ({ name }) => [
        runOnce(file(`${rig.root}/once`, name, rig.own)),
        file(`${rig.root}/${name}`, '', rig.own),
      ]),
      play('reversed', { hosts: { hosts: [...web.hosts].reverse() } }, ({ name }) =>
        runOnce(file(`${rig.root}/last`, name, rig.own)),
      ),
    ]
    for (const forks of [1, 6]) {
      const { summary } = await rig.run(plays, { names, forks, dead: 'web1' })
      expect(summary.hosts.map(({ changed }) => changed)).to.deep.equal([0, 2, 1, 1, 1, 2])
      expect(readFileSync(`${rig.root}/once`, 'utf8')).to.equal('web2')
      rig.renew()
    }
  })

  it('asks hosts whose session was released, and does not keep all of these sessions open', async () => {
    const name = ask(
      'its name',
      read(sh`cat ${`${rig.root}/all`}`, ({ stdout }) => stdout),
    )
    writeFileSync(`${rig.root}/all`, 'x')
    const asking = role('asking', (_params: object) =>
      afterAnswers(askEach({ hosts: hostsOf }, name), (all) =>
        file(`${rig.root}/seen`, all.map(({ answer }) => answer).join(''), rig.own),
      ),
    )
    let hostsOf: Group['hosts'] = []
    const { most, problems } = await counted(
      (web) => {
        hostsOf = web.hosts
        return [play('web', { hosts: web }, () => asking({}))]
      },
      { forks: 2, mode: 'plan' },
    )
    expect(problems).to.deep.equal([])
    // The hosts of two tasks, the hosts of two questions, and two that stay open.
    expect(most).to.be.at.most(6)
  })

  it('connects to no further host after a stop', async () => {
    const stop = new AbortController()
    const many = Array.from({ length: 250 }, (_, i) => `web${i + 1}`)
    const { opened, summary } = await counted((web) => [own(web, 'a')], {
      names: many,
      forks: 3,
      stop: stop.signal,
      on: (event) => {
        if (event.kind === 'refreshed' && event.host === 'web4') stop.abort()
      },
    })
    expect(opened.length).to.be.within(4, 7)
    expect(summary.interrupted).to.equal(true)
    expect(summary.hosts.filter(({ skipped }) => skipped === 1)).to.have.length(250)
  })
})
