import { existsSync, writeFileSync } from 'node:fs'
import { expect } from 'chai'
import type { RunEvent } from '../../../src/model/event.ts'
import { play } from '../../../src/model/playbook/play.ts'
import { after as afterAnswers } from '../../../src/model/playbook/steps.ts'
import { ask, askHost } from '../../../src/model/resource/question.ts'
import { read } from '../../../src/model/resource/read.ts'
import { file } from '../../../src/resources/files/file.ts'
import { command } from '../../../src/resources/system/command.ts'
import { sh } from '../../../src/shell/sh.ts'
import { ownRig, type Plays } from '../../support/rig.ts'

/** A read that hangs is killed at its limit. The limits in these tests are short; the reads hang for an hour. */
describe('a read that hangs', () => {
  const rig = ownRig()
  const reads = { limit: 1_500, notice: 400 }
  const waits = (events: readonly RunEvent[]) =>
    events.flatMap((event) => (event.kind === 'waiting' ? [`${event.host} ${event.for}`] : []))

  const hanging: Plays = (web) => [
    play('web', { hosts: web }, ({ name }) => [
      name === 'web1' && command('uh', sh`true`, { unless: sh`sleep 3600` }),
      file(`${rig.root}/${name}`, 'a', rig.own),
    ]),
  ]

  for (const mode of ['plan', 'apply'] as const)
    it(`is reported while it runs, is killed at its limit, and fails only its own host (${mode})`, async () => {
      const { problems, events, summary } = await rig.run(hanging, { reads, mode, names: ['web1', 'web2'] })
      expect(problems).to.deep.equal(['web1: command uh: no answer after 1.50 s to sleep 3600, so it was ended'])
      const [failed] = events.flatMap((event) => (event.kind === 'failed' ? [event.problem] : []))
      expect(failed?.details).to.include('{ sleep 3600')
      expect(failed?.where)
        .to.have.property('file')
        .that.matches(/read-limits\.test\.ts$/)
      expect(waits(events)[0]).to.match(/^web1 the answer to sleep 3600 \(asked [\d.]+ s ago, at most 1\.50 s\)$/)
      expect(summary.hosts.map(({ failed, changed, ok }) => [failed, changed, ok])).to.deep.equal([
        [1, 0, 0],
        [0, 1, 0],
      ])
      expect(existsSync(`${rig.root}/web1`)).to.equal(false)
    })

  it('on another host has no answer, which differs from the answer no', async () => {
    const question = ask(
      'is it the primary?',
      read(sh`sleep 3600`, ({ code }) => code === 0),
    )
    const { problems } = await rig.run(
      (web) => [
        play('web', { hosts: web }, (host) =>
          afterAnswers(askHost(host, question), (primary) => file(`${rig.root}/${primary}`, '', rig.own)),
        ),
      ],
      { reads },
    )
    expect(problems).to.deep.equal(['no answer after 1.50 s to sleep 3600, so it was ended'])
  })

  it('after a change fails its own step, and the change stays', async () => {
    writeFileSync(`${rig.root}/src`, 'old')
    const { problems } = await rig.run(
      (web) => [
        play('web', { hosts: web }, () => [
          file(`${rig.root}/src`, 'new', rig.own),
          command('uh', sh`true`, { unless: sh`grep -q old ${`${rig.root}/src`} || sleep 3600` }),
        ]),
      ],
      { reads },
    )
    expect(problems).to.have.length(1)
    expect(problems[0]).to.match(/^web1: command uh: no answer after 1\.50 s to grep -q old .*, so it was ended$/)
  })
})
