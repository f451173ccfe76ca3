import { expect } from 'chai'
import type { HostSummary, Summary } from '../../src/model/event.ts'
import { plain } from '../../src/report/problem.ts'
import { recap } from '../../src/report/recap.ts'
import { host, summary } from './terminal/script.ts'

describe('the last words of a run', () => {
  const said = (hosts: readonly HostSummary[], of: Partial<Summary> = {}) =>
    recap(summary(hosts, of), plain).replace(/ \([\d.]+ s, .*\)$/m, '')

  const web1 = host({ host: 'web1', ok: 5 })
  const CASES: Readonly<Record<string, readonly [said: string, expected: string]>> = {
    'nothing had to change': [said([web1]), 'Nothing had to change: 1 host, 5 steps.'],
    'nothing would change': [
      said([web1, web1], { mode: 'check' }),
      'Nothing would change: 2 hosts, 10 steps.',
    ],
    'one step changed': [
      said([web1, host({ host: 'db', changed: 1 })]),
      'db   0 ok, 1 changed\n1 step changed: 2 hosts, 6 steps.',
    ],
    'steps would change': [
      said([host({ host: 'db1', ok: 1, changed: 2 })], { mode: 'check' }),
      'db1  1 ok, 2 to change\n2 steps would change: 1 host, 3 steps.',
    ],
    'some of them are decided by the run': [
      said([host({ host: 'db1', changed: 3, open: 2 })], { mode: 'check' }),
      'db1  0 ok, 3 to change\n3 steps would change: 1 host, 3 steps (the run decides about those with ?: 2 that may turn out needless).',
    ],
    'steps that are already in place are read again': [
      said([host({ host: 'db1', ok: 1, changed: 1, recheck: 2 })], { mode: 'check' }),
      'db1  1 ok, 1 to change, 2 to read again\n1 step would change: 1 host, 4 steps (the run decides about those with ?: 2 already in place).',
    ],
    'only handlers are due, and steps after them are read again': [
      said([host({ host: 'db1', ok: 1, recheck: 2 })], { mode: 'check' }),
      'No step would change now; the run reads 2 again after others: 1 host, 3 steps.',
    ],
    'a host failed': [
      said([web1, host({ host: 'web2', ok: 2, changed: 1, failed: 1 })]),
      'web1 5 ok\nweb2 2 ok, 1 changed, failed\n1 host failed, of 2 hosts, 8 steps; 1 changed.\nTo go on with web2: provision resume. What is done is not done twice.',
    ],
    'a host was lost after it had changed': [
      said([host({ host: 'web1', changed: 1, unreachable: true })]),
      'web1 0 ok, 1 changed, lost\n1 host not reached, of 1 host, 1 step; 1 changed.\nTo go on: provision resume. What is done is not done twice.',
    ],
    'a host was left alone, and nothing is to be resumed there': [
      said([web1, host({ host: 'web2', away: 'in maintenance' })]),
      'web2 in maintenance\nNothing had to change: 2 hosts, 5 steps.',
    ],
    'a person stopped it': [
      said([web1, host({ host: 'web2', skipped: 2 })], { interrupted: true }),
      'web1 5 ok\nweb2 0 ok, 2 plays skipped\nStopped before its end: 2 hosts, 5 steps; 0 changed.\nTo go on with web2: provision resume. What is done is not done twice.',
    ],
  }
  for (const [when, [words, expected]] of Object.entries(CASES))
    it(`say so when ${when}`, () => {
      expect(words).to.equal(expected)
    })

  it('tell the time, the round trips of the host with most of them, and the traffic', () => {
    expect(recap(summary([web1, host({ host: 'web2', trips: 1 })]), plain)).to.match(
      / \(1\.23 s, at most 2 round trips a host, 3 KiB\)$/,
    )
  })
})
