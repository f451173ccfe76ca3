import { expect } from 'chai'
import type { HostSummary, Summary } from '../../src/model/event.ts'
import { plain } from '../../src/report/problem.ts'
import { recap } from '../../src/report/recap.ts'
import { host, summary } from './terminal/script.ts'

describe('the recap of a run', () => {
  const said = (hosts: readonly HostSummary[], of: Partial<Summary> = {}) =>
    recap(summary(hosts, of), plain).replace(/ \([\d.]+ s, .*\)$/m, '')

  const web1 = host({ host: 'web1', ok: 5 })
  const CASES: Readonly<Record<string, readonly [said: string, expected: string]>> = {
    'nothing changed': [said([web1]), 'No changes: 5 steps ok on 1 host.'],
    'nothing would change': [said([web1, web1], { mode: 'plan' }), 'No changes: 10 steps ok on 2 hosts.'],
    'one step changed': [
      said([web1, host({ host: 'db', changed: 1 })]),
      'db   0 ok, 1 changed\n1 of 6 steps changed on 2 hosts.',
    ],
    'steps would change': [
      said([host({ host: 'db1', ok: 1, changed: 2 })], { mode: 'plan' }),
      'db1  1 ok, 2 to change\n2 of 3 steps would change on 1 host.',
    ],
    'some of them are known after apply': [
      said([host({ host: 'db1', changed: 3, tentative: 2 })], { mode: 'plan' }),
      'db1  0 ok, 3 to change\n3 of 3 steps would change on 1 host (with ?, known after apply: 2 to change).',
    ],
    'steps that are ok now are read again': [
      said([host({ host: 'db1', ok: 1, changed: 1, deferred: 2 })], { mode: 'plan' }),
      'db1  1 ok, 1 to change, 2 known after apply\n1 of 4 steps would change on 1 host (with ?, known after apply: 2 ok now).',
    ],
    'only handlers are due, and steps after them are read again': [
      said([host({ host: 'db1', ok: 1, deferred: 2 })], { mode: 'plan' }),
      'No changes now: 3 steps ok on 1 host, 2 of them known after apply.',
    ],
    'a host failed': [
      said([web1, host({ host: 'web2', ok: 2, changed: 1, failed: 1 })]),
      'web1 5 ok\nweb2 2 ok, 1 changed, failed\n1 host failed; 1 of 8 steps changed on 2 hosts.\nTo continue with web2: provision resume. Finished steps are not repeated.',
    ],
    'failures were allowed': [
      said([web1, host({ host: 'web2', ok: 2, allowed: 2 })]),
      'web2 2 ok, 2 allowed failures\nNo changes: 7 steps ok on 2 hosts. 2 allowed failures.',
    ],
    'a host became unreachable after a change': [
      said([host({ host: 'web1', changed: 1, unreachable: true })]),
      'web1 0 ok, 1 changed, unreachable\n1 host unreachable; 1 of 1 step changed on 1 host.\nTo continue: provision resume. Finished steps are not repeated.',
    ],
    'a host was skipped on its own request, and there is nothing to resume': [
      said([web1, host({ host: 'web2', excluded: 'in maintenance' })]),
      'web2 skipped: in maintenance\nNo changes: 5 steps ok on 2 hosts.',
    ],
    'policies refused the run': [said([web1], { refused: true }), 'Refused by policies: nothing was changed.'],
    'policies refused the plan': [
      said([host({ host: 'db1', ok: 1, changed: 2 })], { mode: 'plan', refused: true }),
      'db1  1 ok, 2 to change\nRefused by policies: nothing was changed; 2 of 3 steps would change on 1 host.',
    ],
    'it was interrupted': [
      said([web1, host({ host: 'web2', skipped: 2 })], { interrupted: true }),
      'web1 5 ok\nweb2 0 ok, 2 plays skipped\nInterrupted; 0 of 5 steps changed on 2 hosts.\nTo continue with web2: provision resume. Finished steps are not repeated.',
    ],
  }
  for (const [when, [words, expected]] of Object.entries(CASES))
    it(`shows that ${when}`, () => {
      expect(words).to.equal(expected)
    })

  it('has one row for the equal results of more than 20 hosts', () => {
    const many = Array.from({ length: 30 }, (_, i) => host({ host: `web${i + 1}`, ok: 5, unreachable: i > 26 }))
    expect(said([...many, host({ host: 'db1', changed: 2 })])).to.equal(
      [
        'web1, web2, web3 and 24 more 5 ok',
        'web28, web29, web30          5 ok, unreachable',
        'db1                          0 ok, 2 changed',
        '3 hosts unreachable; 2 of 152 steps changed on 31 hosts.',
        'To continue with web28, web29, web30: provision resume. Finished steps are not repeated.',
      ].join('\n'),
    )
    expect(said(many.slice(0, 27))).to.equal('No changes: 135 steps ok on 27 hosts.')
    expect(
      said(many.map((one) => ({ ...one, failed: 1 })))
        .split('\n')
        .at(-1),
    ).to.equal('To continue: provision resume. Finished steps are not repeated.')
  })

  it('shows the time, the highest number of round trips of a host, and the traffic', () => {
    expect(recap(summary([web1, host({ host: 'web2', trips: 1 })]), plain)).to.match(
      / \(1\.23 s, at most 2 round trips per host, 3 KiB\)$/,
    )
  })
})
