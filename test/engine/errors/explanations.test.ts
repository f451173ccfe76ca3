import { existsSync } from 'node:fs'
import { expect } from 'chai'
import type { PlanContent } from '../../../src/engine/plan/plan-file.ts'
import { play } from '../../../src/model/playbook/play.ts'
import { role } from '../../../src/model/playbook/role.ts'
import { delegateTo, type Steps } from '../../../src/model/playbook/steps.ts'
import { InvalidParams } from '../../../src/model/problem.ts'
import { read } from '../../../src/model/resource/read.ts'
import { resource } from '../../../src/model/resource/step.ts'
import { file } from '../../../src/resources/files/file.ts'
import type { AbsolutePath } from '../../../src/resources/files/stat.ts'
import { command } from '../../../src/resources/system/command.ts'
import { sh } from '../../../src/shell/sh.ts'
import { ownRig, type Plays } from '../../support/rig.ts'
import { wordsIn, wordsOf } from '../../support/words.ts'

/** The complete messages for errors before a run or before a turn of a host. */
describe('the message', () => {
  const rig = ownRig()

  const all =
    (steps: () => Steps): Plays =>
    (web) => [play('web', { hosts: web, serial: 1 }, steps)]
  const never = { creates: '/nonexistent' } as const

  it('for an unreachable host begins with its name', async () => {
    const { events } = await rig.run(
      all(() => []),
      { dead: 'web1' },
    )
    expect(wordsIn(events)).to.equal('error: web1: no route to it')
  })

  it('for a resource that throws names the host and the step', async () => {
    const limit = resource<{ readonly path: AbsolutePath }, string>('limit', {
      id: ({ path }) => path,
      read: () => read(sh`echo much`, ({ stdout }) => stdout.trim()),
      diff: (_params, have) => {
        throw new Error(`${have} is no number`)
      },
      apply: () => [],
    })
    const { events } = await rig.run(all(() => [limit({ path: '/etc/limit' })]))
    expect(wordsIn(events)).to.match(
      /^error: web1: limit \/etc\/limit could not be compared: much is no number\n {3}at .*explanations\.test\.ts:\d+:\d+$/,
    )
  })

  it('for a step that rejects the run ends the run before any change', async () => {
    const shut = resource<object, string>('way in', {
      id: () => 'ssh',
      read: () => read(sh`echo 10.0.0.1`, ({ stdout }) => stdout.trim(), { dependsOn: [] }),
      diff: (_params, have) => {
        throw new InvalidParams(`ssh would be shut to ${have}.`, {
          where: 'ssh',
          next: `Add ${have}. Nothing was changed on any host.`,
        })
      },
      apply: () => [],
    })
    const before = file(`${rig.root}/before`, 'x', rig.own)
    const words = await wordsOf(() => rig.run(all(() => [before, shut({})])))
    expect(words).to.equal(`error: ssh would be shut to 10.0.0.1.
   at web1, ssh
   Add 10.0.0.1. Nothing was changed on any host.`)
    expect(existsSync(`${rig.root}/before`)).to.equal(false)
  })

  it('for an unsupported release names the release, and says that nothing was changed', async () => {
    let system = ''
    const picky = role('picky', (_params: object) => [], { os: ['debian 8', 'debian 9'] })
    const seeing = role('seeing', (_params: object, { facts: { hostname, os } }) => {
      system = `${hostname} runs ${os.id.slice(0, 1).toUpperCase()}${os.id.slice(1)} ${os.version || os.codename}`
      return []
    })
    const words = await wordsOf(() => rig.run(all(() => [seeing({}), picky({})])))
    expect(words).to.equal(`error: ${system}.
   at web1, role picky
   The role was tested on Debian 8 and Debian 9. Nothing was changed on any host.`)
  })

  describe('for a delegated step', () => {
    const onDb =
      (steps: () => Steps): Plays =>
      (hosts) => [
        play('web', { hosts: { hosts: hosts.hosts.slice(0, 1) } }, () =>
          delegateTo(
            hosts.only(({ name }) => name === 'db1'),
            steps(),
          ),
        ),
      ]
    const names = ['web1', 'db1']

    it('on a lost host names both hosts', async () => {
      const die = onDb(() => command('die', sh`kill -9 $PPID`, never))
      const [first] = wordsIn((await rig.run(die, { names })).events).split('\nerror: lost')
      expect(
        first,
      ).to.equal(`error: web1: lost db1: its shell ended, killed by SIGKILL, and steps of its turn are done there
   Run again: completed steps are not repeated`)
    })

    it('on a host that only allows reading begins with the reason', async () => {
      const { events } = await rig.run(
        onDb(() => command('do it', sh`:`, never)),
        {
          names,
          opens: ({ name }, { lock }) => {
            if (name === 'db1' && lock) throw new Error('another run changes it')
          },
        },
      )
      expect(wordsIn(events)).to.equal(`error: db1: another run changes it
error: web1: db1 cannot be reached, and steps of its turn are done there
   See why it cannot be reached, then run the same command again: it goes on from there.`)
    })
  })

  it('for an outdated plan lists all differences, and says that nothing was changed', async () => {
    let plan: PlanContent = { hosts: {} }
    const twoFiles = (web2: string) =>
      all(() => [file(`${rig.root}/a`, 'a', rig.own), file(`${rig.root}/${web2}`, 'b', rig.own)])
    const names = ['web1', 'web2']
    await rig.run(twoFiles('b'), { mode: 'plan', onPlan: ({ hosts }) => (plan = { hosts }) })
    await rig.run(all(() => [file(`${rig.root}/a`, 'other', rig.own)]))
    expect(
      await wordsOf(() => rig.run(twoFiles('c'), { expect: plan, names })),
    ).to.equal(`error: The hosts are no longer as they were planned, so nothing was changed.
   web1: file ${rig.root}/a has changed since
   web1: file ${rig.root}/b is no longer asked for
   web1: file ${rig.root}/c is new
   web2: is not in the plan
   Make the plan again, read it, and apply that one.`)
    expect(
      await wordsOf(() => rig.run(twoFiles('b'), { expect: plan, dead: 'web1' })),
    ).to.equal(`error: The hosts are no longer as they were planned, so nothing was changed.
   web1: could not be read
   Make the plan again, read it, and apply that one.`)
  })
})
