import { existsSync, writeFileSync } from 'node:fs'
import { expect } from 'chai'
import { play } from '../../../src/model/playbook/play.ts'
import { handler } from '../../../src/model/resource/handler.ts'
import { resource } from '../../../src/model/resource/step.ts'
import { entryAt } from '../../../src/resources/files/stat.ts'
import { type Shell, sh } from '../../../src/shell/sh.ts'
import { ownRig, type Plays } from '../../support/rig.ts'

/** Steps in one round trip. The second one waits for a file. */
describe('steps in one round trip', () => {
  const rig = ownRig()

  const made = resource<{ readonly path: string; readonly first?: Shell }, boolean>('made', {
    id: ({ path }) => path,
    affects: 'itself',
    read: ({ path }) => ({
      ...entryAt({ path }),
      value: ([entry]) => entry !== undefined,
    }),
    diff: (_params, there) => (there ? undefined : { action: 'create', fields: [] }),
    apply: ({ path, first = sh`:` }) => [sh`${first}; touch ${path}`],
  })
  const waits = () => sh`touch ${`${rig.root}/begun`}; while [ ! -e ${`${rig.root}/go`} ]; do sleep 0.05; done`
  const plays: Plays = (web) => [
    play('web', { hosts: web }, () => [
      made({ path: `${rig.root}/a` }),
      made({ path: `${rig.root}/b`, first: waits() }, { notify: handler('note', sh`touch ${`${rig.root}/noted`}`) }),
      made({ path: `${rig.root}/c` }),
    ]),
  ]

  it('are reported one by one during the round trip, without an additional one', async () => {
    const { reported, summary } = await rig.run(plays, {
      on: (event) => {
        // Without this report the second step waits forever.
        if (event.kind === 'step' && event.step.name.endsWith('/a')) writeFileSync(`${rig.root}/go`, '')
      },
    })
    expect(reported).to.deep.equal([
      'web1 changed made a',
      'web1 changed made b',
      'web1 changed made c',
      'web1 done handler note',
    ])
    // Facts, refresh, change, handler, verification.
    expect(summary.hosts[0]).to.include({ changed: 3, trips: 5 })
  })

  it('stop after the current step on a stop signal; the others do not start', async () => {
    const stop = new AbortController()
    const { reported, problems, summary } = await rig.run(plays, {
      stop: stop.signal,
      on: (event) => {
        if (event.kind !== 'step' || !event.step.name.endsWith('/a')) return
        const timer = setInterval(() => {
          if (!existsSync(`${rig.root}/begun`)) return
          clearInterval(timer)
          // The second step runs until another shell has sent the stop signal to the host.
          rig.ended = () => writeFileSync(`${rig.root}/go`, '')
          stop.abort()
        }, 20)
      },
    })
    expect(reported).to.deep.equal(['web1 changed made a', 'web1 changed made b'])
    expect(problems).to.deep.equal(['web1: stopped between two steps'])
    expect(existsSync(`${rig.root}/b`)).to.equal(true)
    expect(existsSync(`${rig.root}/c`)).to.equal(false)
    expect(summary).to.include({ interrupted: true })
    const again = await rig.run(plays)
    expect(again.reported).to.deep.equal([
      'web1 ok made a',
      'web1 ok made b',
      'web1 changed made c',
      'web1 done handler note (pending)',
    ])
  })
})
