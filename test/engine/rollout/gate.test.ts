import { readdirSync } from 'node:fs'
import { expect } from 'chai'
import type { Group } from '../../../src/model/inventory/host.ts'
import { gate, play } from '../../../src/model/playbook/play.ts'
import { Problem } from '../../../src/model/problem.ts'
import { ask, askEach, mapAnswers } from '../../../src/model/resource/question.ts'
import { known, read } from '../../../src/model/resource/read.ts'
import { file } from '../../../src/resources/files/file.ts'
import { command } from '../../../src/resources/system/command.ts'
import { sh } from '../../../src/shell/sh.ts'
import { ownRig } from '../../support/rig.ts'

describe('a gate', () => {
  const rig = ownRig()
  const names = ['web1', 'web2']
  const moon = ask('the moon', known('full'))

  const work = (web: Group) => play('work', { hosts: web }, ({ name }) => file(`${rig.root}/${name}`, 'a', rig.own))
  const when = (web: Group, problem: (moon: string | undefined) => Problem | undefined) =>
    mapAnswers(askEach(web, moon), ([first]) => problem(first?.answer))

  it('lets the run continue while its conditions hold', async () => {
    const { summary } = await rig.run(
      (web) => [
        gate(
          'may it begin?',
          web,
          false,
          when(web, () => undefined),
        ),
        work(web),
      ],
      { names },
    )
    expect(readdirSync(rig.root)).to.deep.equal(names)
    expect(summary.hosts.map(({ changed, skipped }) => [changed, skipped])).to.deep.equal([
      [1, 0],
      [1, 0],
    ])
  })

  for (const mode of ['plan', 'apply'] as const)
    it(`ends the run before any change if a condition returns a problem (${mode})`, async () => {
      const { events, problems, summary } = await rig.run(
        (web) => [
          gate(
            'may it begin?',
            web,
            when(web, (one) => new Problem(`the moon is ${one}`)),
          ),
          work(web),
        ],
        { names, mode },
      )
      expect(problems).to.deep.equal(['the moon is full'])
      expect(events.filter(({ kind }) => kind === 'skipped')).to.deep.equal([
        {
          kind: 'skipped',
          play: 'the rest',
          hosts: names,
          why: 'web1 failed in "may it begin?", which ends the run',
        },
      ])
      expect(summary.hosts.map(({ failed, changed, skipped }) => [failed, changed, skipped])).to.deep.equal([
        [1, 0, 1],
        [0, 0, 1],
      ])
      expect(readdirSync(rig.root)).to.deep.equal([])
    })

  it('ends the run if one of its hosts is unreachable or has failed', async () => {
    await rig.run((web) => [gate('all are there', web), work(web)], { names, dead: 'web2' })
    expect(readdirSync(rig.root)).to.deep.equal([])
    await rig.run(
      (web) => [
        play('first', { hosts: web }, ({ name }) => command('break', sh`exit 1`, { unless: sh`test ${name} = web1` })),
        gate('all are well', web),
        work(web),
      ],
      { names },
    )
    expect(readdirSync(rig.root)).to.deep.equal([])
  })

  it('lets the run continue without an unreachable host if it ignores that', async () => {
    const ignoring = (web: Group) => ({ hosts: web.hosts, ignoreUnreachable: () => 'is not reachable' })
    await rig.run((web) => [gate('the others are there', ignoring(web)), work(web)], { names, dead: 'web2' })
    expect(readdirSync(rig.root)).to.deep.equal(['web1'])
  })

  it('reads its hosts again after changes on them', async () => {
    const count = ask(
      'the number of files',
      read(sh`ls ${rig.root} | wc -l`, ({ stdout }) => Number(stdout)),
    )
    const seen: unknown[] = []
    await rig.run((web) => [
      work(web),
      gate(
        'they are there',
        web,
        mapAnswers(askEach(web, count), ([first]) => {
          seen.push(first?.answer)
          return undefined
        }),
      ),
    ])
    expect(seen).to.deep.equal([1])
  })

  it('reports a condition that throws, with its place', async () => {
    const { events } = await rig.run((web) => [
      gate(
        'may it begin?',
        web,
        when(web, () => {
          throw new Error('no moon')
        }),
      ),
      work(web),
    ])
    const [failed] = events.flatMap((event) => (event.kind === 'failed' ? [event.problem] : []))
    expect(failed?.message).to.equal('gate "may it begin?": no moon')
    expect(failed?.where)
      .to.have.property('file')
      .that.matches(/gate\.test\.ts$/)
    expect(readdirSync(rig.root)).to.deep.equal([])
  })
})
