import { expect } from 'chai'
import { play } from '../../../src/model/playbook/play.ts'
import { command } from '../../../src/resources/system/command.ts'
import { sh } from '../../../src/shell/sh.ts'
import { ownRig } from '../../support/rig.ts'

describe('a command that reports progress', () => {
  const rig = ownRig()

  const reported = async (script: ReturnType<typeof sh>, timeout = 5_000) => {
    const { events } = await rig.run((web) => [
      play('web', { hosts: web }, () => command('copy', script, { unless: sh`false`, reportsProgress: true, timeout })),
    ])
    return {
      lines: events.flatMap((event) => {
        if (event.kind === 'progress') return [`${event.step.kind} ${event.step.name}: ${event.text}`]
        return event.kind === 'waiting' ? [`waiting: ${event.for}`] : []
      }),
      problem: events.flatMap((event) => (event.kind === 'failed' ? [event.problem] : []))[0],
    }
  }

  it('reports repeated lines once, and reports what it waits for as an event of its own', async () => {
    const { lines } = await reported(sh`say 1 of 2; say 1 of 2; say waiting for godot; say 2 of 2`)
    expect(lines).to.deep.equal(['command copy: 1 of 2', 'waiting: godot', 'command copy: 2 of 2'])
  })

  it('fails with its last message if it is killed', async () => {
    const { problem } = await reported(sh`say waiting for godot; sleep 20`, 150)
    expect(problem?.message).to.match(/command copy failed: no end after 0\.15 s, so it was killed/)
    expect(problem?.details[0]).to.equal('It said last: waiting for godot')
  })
})
