import { mkdirSync, writeFileSync } from 'node:fs'
import { expect } from 'chai'
import type { Host } from '../../../src/model/inventory/host.ts'
import { type PlayOptions, play } from '../../../src/model/playbook/play.ts'
import { ask } from '../../../src/model/resource/question.ts'
import { known } from '../../../src/model/resource/read.ts'
import { file } from '../../../src/resources/files/file.ts'
import { type Outcome, ownRig, type Plays } from '../../support/rig.ts'

type Options = Omit<PlayOptions<Host>, 'hosts'>

/** With one host in trouble: the hosts that change in the plan are those that change in the run, for all options of a play about hosts. */
describe('a plan of a play with options about hosts', () => {
  const rig = ownRig()
  const names = ['web1', 'web2', 'web3', 'web4']

  const plays =
    (options: Options): Plays =>
    (web) => [
      play('web', { hosts: web, ...options }, ({ name }) => file(`${rig.root}/${name}`, 'a', rig.own)),
      play(
        'rest',
        { hosts: web, ...(options.ignoreUnreachable && { ignoreUnreachable: options.ignoreUnreachable }) },
        ({ name }) => file(`${rig.root}/${name}.rest`, 'a', rig.own),
      ),
    ]
  const touched = ({ events }: Outcome, outcome: string) =>
    events.flatMap((event) => (event.kind === 'step' && event.outcome === outcome ? [event.step.name] : [])).sort()
  const left = ({ events }: Outcome) =>
    events.flatMap((event) => (event.kind === 'skipped' ? [`${event.hosts.join()}: ${event.why}`] : []))

  const paces: Readonly<Record<string, Options>> = {
    'all at once': {},
    'one at a time': { serial: 1 },
    'two at a time': { serial: 2 },
    'one, then the rest': { serial: [1, '100%'] },
    'a window of one': { maxUnavailable: 1 },
    'a window of two': { maxUnavailable: 2 },
  }
  const tolerances: Readonly<Record<string, Options>> = {
    'nothing else': {},
    anyErrorsFatal: { anyErrorsFatal: true },
    ignoreUnreachable: { ignoreUnreachable: () => 'gone' },
    'anyErrorsFatal and ignoreUnreachable': { anyErrorsFatal: true, ignoreUnreachable: () => 'gone' },
    'one failure allowed': { maxFailures: 1 },
    'all idle': { isIdle: ask('is it idle?', known(true)) },
    'all idle, and anyErrorsFatal': { isIdle: ask('is it idle?', known(true)), anyErrorsFatal: true },
  }
  for (const [how, pace] of Object.entries(paces))
    for (const [what, tolerance] of Object.entries(tolerances))
      for (const [host, trouble] of [
        ['web1', 'is dead'],
        ['web2', 'is dead'],
        ['web1', 'is refused'],
        ['web2', 'is refused'],
      ] as const)
        it(`is what a run does: ${how}, ${what}, ${host} ${trouble}`, async () => {
          const options = { ...pace, ...tolerance }
          // A host without a change must not be a reason to stop.
          writeFileSync(`${rig.root}/web3`, 'a', { mode: 0o644 })
          if (trouble === 'is refused') mkdirSync(`${rig.root}/${host}`)
          const about = { names, ...(trouble === 'is dead' && { dead: host }) }
          const planned = await rig.run(plays(options), { mode: 'plan', ...about })
          const ran = await rig.run(plays(options), about)
          expect(touched(planned, 'planned')).to.deep.equal(touched(ran, 'changed'))
          expect(left(planned)).to.deep.equal(left(ran))
          const counts = ({ summary }: Outcome) =>
            summary.hosts.map(({ ok, changed, skipped }) => [ok, changed, skipped])
          expect(counts(planned)).to.deep.equal(counts(ran))
        })
})
