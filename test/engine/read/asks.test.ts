import { readFileSync, writeFileSync } from 'node:fs'
import { expect } from 'chai'
import { play } from '../../../src/model/playbook/play.ts'
import { role } from '../../../src/model/playbook/role.ts'
import { after as afterAnswers } from '../../../src/model/playbook/steps.ts'
import { ask, askEach, askHost, mapAnswers } from '../../../src/model/resource/question.ts'
import { read } from '../../../src/model/resource/read.ts'
import { file } from '../../../src/resources/files/file.ts'
import { sh } from '../../../src/shell/sh.ts'
import { ownRig } from '../../support/rig.ts'

describe('a question to other hosts', () => {
  const rig = ownRig()

  const names = ['web1', 'web2']
  /** The content of `leader`. All hosts of the rig have the same file system. */
  const leader = () =>
    ask(
      'leader',
      read(sh`cat ${`${rig.root}/leader`} 2>/dev/null`, ({ stdout }) => stdout),
    )

  it('is answered before the steps that need it are made, without an additional round trip', async () => {
    writeFileSync(`${rig.root}/leader`, 'web9')
    const question = leader()
    const { reported, summary } = await rig.run(
      (web) => [
        play('web', { hosts: web }, ({ name }) => [
          afterAnswers(askEach(web, question), (answers) =>
            file(`${rig.root}/${name}`, answers.map(({ host, answer }) => `${host.name}=${answer}`).join(), rig.own),
          ),
        ]),
      ],
      { names, mode: 'plan' },
    )
    expect(reported).to.deep.equal(['web1 planned file web1', 'web2 planned file web2'])
    expect(summary.hosts.map(({ trips }) => trips)).to.deep.equal([2, 2])
  })

  it('fails only the host that needs it if its answer is invalid', async () => {
    const question = ask(
      'which release?',
      read(sh`echo none`, ({ stdout }) => JSON.parse(stdout) as string),
    )
    const { problems, summary } = await rig.run(
      (web) => [
        play('web', { hosts: web }, ({ name }) => [
          name === 'web2' &&
            afterAnswers(
              askHost(
                web.only(({ name }) => name === 'web1'),
                question,
              ),
              (answer) => file(`${rig.root}/${answer}`, '', rig.own),
            ),
          file(`${rig.root}/${name}`, 'a', rig.own),
        ]),
      ],
      { names },
    )
    expect(problems).to.have.length(1)
    expect(problems[0]).to.match(/^web1: its answer to "which release\?" makes no sense: Unexpected token/)
    expect(
      summary.hosts.map(({ host, failed, unreachable, changed }) => [host, failed, unreachable, changed]),
    ).to.deep.equal([
      ['web1', 0, false, 1],
      ['web2', 1, false, 0],
    ])
  })

  it('is asked again after a change on the asked host', async () => {
    writeFileSync(`${rig.root}/leader`, 'old')
    const question = leader()
    await rig.run(
      (web) => [
        play('first', { hosts: { hosts: web.hosts.slice(0, 1) } }, () => [file(`${rig.root}/leader`, 'new', rig.own)]),
        play('second', { hosts: { hosts: web.hosts.slice(1) } }, () => [
          afterAnswers(
            askHost(
              web.only(({ name }) => name === 'web1'),
              question,
            ),
            (answer) => file(`${rig.root}/seen`, String(answer), rig.own),
          ),
        ]),
      ],
      { names },
    )
    expect(readFileSync(`${rig.root}/seen`, 'utf8')).to.equal('new')
  })

  it('reads hosts outside of the limit', async () => {
    writeFileSync(`${rig.root}/leader`, 'web1')
    const question = leader()
    const sessions: string[] = []
    const { summary } = await rig.run(
      (web) => [
        play('web', { hosts: web }, () =>
          afterAnswers(
            mapAnswers(askEach(web, question), (all) => all.length),
            (n) => file(`${rig.root}/count`, String(n), rig.own),
          ),
        ),
      ],
      {
        names,
        limit: ({ name }) => name === 'web1',
        opens: ({ name }, { lock }) => sessions.push(`${name} ${lock ? 'locked' : 'unlocked'}`),
      },
    )
    expect(sessions).to.deep.equal(['web1 locked', 'web2 unlocked'])
    expect(summary.hosts.map(({ host }) => host)).to.deep.equal(['web1'])
    expect(readFileSync(`${rig.root}/count`, 'utf8')).to.equal('2')
  })

  it('has no answer on an unreachable host', async () => {
    writeFileSync(`${rig.root}/leader`, 'web1')
    const question = leader()
    await rig.run(
      (web) => [
        play('web', { hosts: web }, ({ name }) =>
          afterAnswers(askEach(web, question), (all) =>
            file(`${rig.root}/${name}`, all.map(({ answer }) => answer ?? 'nothing').join(), rig.own),
          ),
        ),
      ],
      { names, dead: 'web2' },
    )
    expect(readFileSync(`${rig.root}/web1`, 'utf8')).to.equal('web1,nothing')
  })

  it('may come from a role, for one more round trip, and from another answer', async () => {
    writeFileSync(`${rig.root}/leader`, 'web1')
    const [first, second] = [leader(), leader()]
    const asking = role('asking', ({ to }: { readonly to: string }) =>
      afterAnswers(
        mapAnswers(askEach({ hosts: [] }, first), () => to),
        (path) => file(`${rig.root}/${path}`, 'a', rig.own),
      ),
    )
    const { reported, summary } = await rig.run(
      (web) => [
        play('web', { hosts: web }, (host) => [
          asking({ to: 'plain' }),
          role('nested', (_params: object) =>
            afterAnswers(askHost(host, first), () =>
              afterAnswers(askHost(host, second), (answer) => file(`${rig.root}/${answer}-deep`, 'a', rig.own)),
            ),
          )({}),
        ]),
      ],
      { mode: 'plan' },
    )
    expect(reported).to.deep.equal(['web1 planned file plain', 'web1 planned file web1-deep'])
    expect(summary.hosts[0]?.trips).to.equal(4)
  })

  it('fails the hosts that need it if its answers are invalid, with the place of the question', async () => {
    const question = leader()
    const { problems, events } = await rig.run((web) => [
      play('web', { hosts: web }, () =>
        afterAnswers(
          mapAnswers(askEach(web, question), () => {
            throw new Error('there are two leaders')
          }),
          () => [],
        ),
      ),
    ])
    expect(problems).to.deep.equal(['after: there are two leaders'])
    const [failed] = events.flatMap((event) => (event.kind === 'failed' ? [event.problem] : []))
    expect(failed?.where)
      .to.have.property('file')
      .that.match(/asks\.test\.ts$/)
  })
})
