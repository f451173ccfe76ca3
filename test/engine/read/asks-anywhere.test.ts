import { readFileSync, writeFileSync } from 'node:fs'
import { expect } from 'chai'
import type { Host } from '../../../src/model/inventory/host.ts'
import { play } from '../../../src/model/playbook/play.ts'
import { role } from '../../../src/model/playbook/role.ts'
import { after as afterAnswers } from '../../../src/model/playbook/steps.ts'
import { ask, askEach, askHost } from '../../../src/model/resource/question.ts'
import { read } from '../../../src/model/resource/read.ts'
import { file } from '../../../src/resources/files/file.ts'
import { sh } from '../../../src/shell/sh.ts'
import { ownRig } from '../../support/rig.ts'

describe('a question created on each evaluation', () => {
  const rig = ownRig()

  /** Returns the content of the file, and counts the reads. */
  const word = (label = 'the word') =>
    ask(
      label,
      read(sh`echo asked >> ${`${rig.root}/asked`}; cat ${`${rig.root}/word`}`, ({ stdout }) => stdout),
    )
  const times = () => readFileSync(`${rig.root}/asked`, 'utf8').split('\n').length - 1
  beforeEach(() => writeFileSync(`${rig.root}/word`, 'right'))

  it('in the body of a role is asked once and answered', async () => {
    const said = role('said', ({ host }: { readonly host: Host }) => [
      afterAnswers(askHost(host, word()), (found) => file(`${rig.root}/found`, found ?? 'none', rig.own)),
    ])
    const { problems } = await rig.run((web) => [play('web', { hosts: web }, (host) => [said({ host })])], {
      mode: 'plan',
    })
    expect(problems).to.deep.equal([])
    expect(times()).to.equal(1)
    const { reported } = await rig.run((web) => [play('web', { hosts: web }, (host) => [said({ host })])])
    expect(reported).to.deep.equal(['web1 changed file found'])
    expect(readFileSync(`${rig.root}/found`, 'utf8')).to.equal('right')
  })

  it('after another answer is asked once and answered', async () => {
    const { problems } = await rig.run((web) => [
      play('web', { hosts: web }, (host) => [
        afterAnswers(askHost(host, word('first')), (one) =>
          afterAnswers(askHost(host, word('second')), (two) => file(`${rig.root}/both`, `${one} ${two}`, rig.own)),
        ),
      ]),
    ])
    expect(problems).to.deep.equal([])
    expect(times()).to.equal(2)
    expect(readFileSync(`${rig.root}/both`, 'utf8')).to.equal('right right')
  })

  it('at one place with several meanings keeps each meaning', async () => {
    const each3 = role('each', ({ host }: { readonly host: Host }) =>
      ['a', 'b', 'c'].map((letter) =>
        afterAnswers(
          askHost(
            host,
            ask(
              'word',
              read(sh`cat ${`${rig.root}/word`}`, ({ stdout }) => `${letter}-${stdout}`),
            ),
          ),
          (found) => file(`${rig.root}/${letter}`, found ?? 'none', rig.own),
        ),
      ),
    )
    const { problems } = await rig.run((web) => [play('web', { hosts: web }, (host) => [each3({ host })])])
    expect(problems).to.deep.equal([])
    expect(['a', 'b', 'c'].map((letter) => readFileSync(`${rig.root}/${letter}`, 'utf8'))).to.deep.equal([
      'a-right',
      'b-right',
      'c-right',
    ])
  })

  it('to a group is asked once on each host', async () => {
    const names = ['web1', 'web2', 'web3']
    const { problems, summary } = await rig.run(
      (web) => [
        play('web', { hosts: web }, ({ name }) => [
          role('all', () =>
            afterAnswers(askEach(web, word()), (answers) =>
              file(`${rig.root}/${name}`, answers.map(({ answer }) => answer).join(), rig.own),
            ),
          )({}),
        ]),
      ],
      { names },
    )
    expect(problems).to.deep.equal([])
    expect(summary.hosts.map(({ changed }) => changed)).to.deep.equal([1, 1, 1])
    expect(readFileSync(`${rig.root}/web1`, 'utf8')).to.equal('right,right,right')
  })

  it('fails with its line if it differs on each evaluation', async () => {
    let n = 0
    const { problems, events } = await rig.run((web) => [
      play('web', { hosts: web }, (host) => [
        role('other', () => afterAnswers(askHost(host, word(`question ${n++}`)), () => []))({}),
        file(`${rig.root}/after`, '', rig.own),
      ]),
    ])
    expect(problems).to.have.length(1)
    expect(problems[0]).to.match(/^web1: the question "question \d+" is another one each time its steps are made$/)
    const [failed] = events.flatMap((event) => (event.kind === 'failed' ? [event.problem] : []))
    expect(failed?.where)
      .to.have.property('file')
      .that.matches(/asks-anywhere\.test\.ts$/)
  })

  it('stops on the stop signal', async () => {
    const stop = new AbortController()
    let n = 0
    const { summary } = await rig.run(
      (web) => [
        play('web', { hosts: web }, (host) => [
          role('other', () => {
            if (n > 2) stop.abort()
            return afterAnswers(askHost(host, word(`question ${n++}`)), () => [])
          })({}),
        ]),
      ],
      { stop: stop.signal },
    )
    expect(summary.interrupted).to.equal(true)
  })
})
