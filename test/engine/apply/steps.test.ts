import { existsSync, writeFileSync } from 'node:fs'
import { expect } from 'chai'
import { play } from '../../../src/model/playbook/play.ts'
import { handler } from '../../../src/model/resource/handler.ts'
import { resource } from '../../../src/model/resource/step.ts'
import { entryAt } from '../../../src/resources/files/stat.ts'
import { type Shell, sh } from '../../../src/shell/sh.ts'
import { ownRig, type Plays } from '../../support/rig.ts'

/** Steps that go together in one round trip, the second of which waits for a file. */
describe('steps that travel together', () => {
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
  const waits = () =>
    sh`touch ${`${rig.root}/begun`}; while [ ! -e ${`${rig.root}/go`} ]; do sleep 0.05; done`
  const plays: Plays = (web) => [
    play('web', { hosts: web }, () => [
      made({ path: `${rig.root}/a` }),
      made(
        { path: `${rig.root}/b`, first: waits() },
        { notify: handler('note', sh`touch ${`${rig.root}/noted`}`) },
      ),
      made({ path: `${rig.root}/c` }),
    ]),
  ]

  it('are reported one by one while the trip goes on, at no additional round trip', async () => {
    const { told, summary } = await rig.run(plays, {
      on: (event) => {
        // Without this report the second step would wait for ever.
        if (event.kind === 'step' && event.step.name.endsWith('/a')) writeFileSync(`${rig.root}/go`, '')
      },
    })
    expect(told).to.deep.equal([
      'web1 changed made a',
      'web1 changed made b',
      'web1 changed made c',
      'web1 done handler note',
    ])
    // Facts, survey, change, handler, proof.
    expect(summary.hosts[0]).to.include({ changed: 3, trips: 5 })
  })

  it('end with the one that runs when the run is to stop; the rest is not begun', async () => {
    const stop = new AbortController()
    const { told, problems, summary } = await rig.run(plays, {
      stop: stop.signal,
      on: (event) => {
        if (event.kind !== 'step' || !event.step.name.endsWith('/a')) return
        const timer = setInterval(() => {
          if (!existsSync(`${rig.root}/begun`)) return
          clearInterval(timer)
          // The second step runs until another shell has told the host of the stop.
          rig.ended = () => writeFileSync(`${rig.root}/go`, '')
          stop.abort()
        }, 20)
      },
    })
    expect(told).to.deep.equal(['web1 changed made a', 'web1 changed made b'])
    expect(problems).to.deep.equal(['web1: stopped between two steps'])
    expect(existsSync(`${rig.root}/b`)).to.equal(true)
    expect(existsSync(`${rig.root}/c`)).to.equal(false)
    expect(summary).to.include({ interrupted: true })
    const again = await rig.run(plays)
    expect(again.told).to.deep.equal([
      'web1 ok made a',
      'web1 ok made b',
      'web1 changed made c',
      'web1 done handler note (leftover)',
    ])
  })
})
