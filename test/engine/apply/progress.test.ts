import { expect } from 'chai'
import { play } from '../../../src/model/playbook/play.ts'
import { command } from '../../../src/resources/system/command.ts'
import { sh } from '../../../src/shell/sh.ts'
import { ownRig } from '../../support/rig.ts'

describe('a command that says something', () => {
  const rig = ownRig()

  const told = async (script: ReturnType<typeof sh>, timeout = 5_000) => {
    const { events } = await rig.run((web) => [
      play('web', { hosts: web }, () =>
        command('copy', script, { unless: sh`false`, reportsProgress: true, timeout }),
      ),
    ])
    return {
      lines: events.flatMap((event) => {
        if (event.kind === 'progress') return [`${event.step.kind} ${event.step.name}: ${event.text}`]
        return event.kind === 'waiting' ? [`waiting: ${event.for}`] : []
      }),
      problem: events.flatMap((event) => (event.kind === 'failed' ? [event.problem] : []))[0],
    }
  }

  it('is heard once for the same words in a row, and what it waits for is told as that', async () => {
    const { lines } = await told(sh`say 1 of 2; say 1 of 2; say waiting for godot; say 2 of 2`)
    expect(lines).to.deep.equal(['command copy: 1 of 2', 'waiting: godot', 'command copy: 2 of 2'])
  })

  it('fails with what it said last, when it had to be killed', async () => {
    const { problem } = await told(sh`say waiting for godot; sleep 20`, 150)
    expect(problem?.message).to.match(/command copy failed: no end after 0\.15 s, so it was killed/)
    expect(problem?.details[0]).to.equal('It said last: waiting for godot')
  })
})
