import { mkdirSync, symlinkSync } from 'node:fs'
import { expect } from 'chai'
import { play } from '../../../src/model/playbook/play.ts'
import type { Steps } from '../../../src/model/playbook/steps.ts'
import { directory } from '../../../src/resources/files/directory.ts'
import { file } from '../../../src/resources/files/file.ts'
import { command } from '../../../src/resources/system/command.ts'
import { sh } from '../../../src/shell/sh.ts'
import { ownRig } from '../../support/rig.ts'

describe('a step with a problem on the host', () => {
  const rig = ownRig({ private: true })
  const run = (steps: Steps, mode: 'apply' | 'plan' = 'apply') =>
    rig.run((web) => [play('web', { hosts: web }, () => steps)], { mode })

  it('fails before any change, with its host, its step, its role and its line', async () => {
    mkdirSync(`${rig.root}/taken`)
    const { problems, reported, events } = await run([
      file(`${rig.root}/taken`, 'x', rig.own),
      file(`${rig.root}/other`, 'x', rig.own),
    ])
    expect(problems).to.deep.equal([`web1: file ${rig.root}/taken: ${rig.root}/taken is a directory, not a file`])
    expect(reported).to.deep.equal([])
    const failed = events.find((event) => event.kind === 'failed')
    expect(failed?.kind === 'failed' && failed.problem.where).to.have.property('line')
  })

  it('is applied if an earlier step solves the problem, and is deferred in the plan', async () => {
    symlinkSync('/nowhere', `${rig.root}/app`)
    const steps = [
      command('move', sh`rm ${`${rig.root}/app`}`, { unless: sh`[ ! -L ${`${rig.root}/app`} ]` }),
      directory(`${rig.root}/app`, rig.own),
    ]
    const plan = await run(steps, 'plan')
    expect(plan.problems).to.deep.equal([])
    expect(plan.reported).to.deep.equal(['web1 planned command move', 'web1 deferred directory app'])
    const { problems, reported } = await run(steps)
    expect(problems).to.deep.equal([])
    expect(reported).to.deep.equal(['web1 changed command move', 'web1 changed directory app'])
    expect((await run(steps)).reported).to.deep.equal(['web1 ok command move', 'web1 ok directory app'])
  })

  it('fails in its turn if earlier steps do not solve the problem', async () => {
    mkdirSync(`${rig.root}/taken`)
    const { problems, reported } = await run([
      command('look', sh`touch ${`${rig.root}/looked`}`, { creates: `${rig.root}/looked` }),
      file(`${rig.root}/taken`, 'x', rig.own),
      file(`${rig.root}/last`, 'x', rig.own),
    ])
    expect(reported).to.deep.equal(['web1 changed command look', 'web1 failed file taken'])
    expect(problems).to.have.length(1)
  })
})
