import { expect } from 'chai'
import { exitCodeOfVerification } from '../../../src/cli/exit.ts'
import type { Finding, Verified } from '../../../src/model/check/verification.ts'
import { Problem, Unknown } from '../../../src/model/problem.ts'
import { plain } from '../../../src/report/problem.ts'
import { verifyJson, verifyTable } from '../../../src/report/tables/verify.ts'
import { secret as sources } from '../../../src/secrets/sources.ts'

describe('the table of a verification', () => {
  const finding = (of: Partial<Finding>): Finding => ({
    about: 'web1',
    label: 'answers',
    outcome: 'passed',
    ms: 12,
    problem: undefined,
    ...of,
  })
  const verified = (findings: readonly Finding[], of: Partial<Verified> = {}): Verified => ({
    hosts: ['web1', 'web2'],
    findings,
    unreachable: new Map(),
    ms: 1_234,
    ...of,
  })

  it('has a row for each check, grouped by host, and a summary', () => {
    const all = verified([
      finding({}),
      finding({ about: 'web', label: 'are of one mind', ms: undefined }),
      finding({ label: 'is well' }),
    ])
    expect(verifyTable(all, plain).split('\n')).to.deep.equal([
      'target  check            result  time',
      'web1    answers          passed  0.01 s',
      '        is well          passed  0.01 s',
      'web     are of one mind  passed',
      '3 checks on 2 hosts: 3 passed. (1.23 s)',
    ])
  })

  const secret = sources.of('verified-hunter2')
  const bad = verified(
    [
      finding({
        outcome: 'failed',
        problem: new Problem('it said 503', { details: [`with ${secret.reveal()}`], next: 'Look there.' }),
      }),
      finding({ about: 'web2', outcome: 'unknown', ms: undefined }),
    ],
    { unreachable: new Map([['web2', new Problem('web2: no route to it')]]) },
  )

  it('shows the reason of a failure, the next step and the unreachable hosts', () => {
    expect(verifyTable(bad, plain).split('\n')).to.deep.equal([
      'target  check    result   time',
      'web1    answers  failed   0.01 s',
      '    it said 503',
      '    with ***',
      '    Look there.',
      'web2    answers  unknown',
      'error: web2: no route to it',
      '2 checks on 2 hosts: 0 passed, 1 failed, 1 unknown, unreachable: web2. (1.23 s)',
    ])
  })

  const slow = 'no answer within 10.0 s (an empty script took 1.40 s on the host)'
  const unsure = verified([finding({ outcome: 'unknown', problem: new Unknown(slow) }), finding({ label: 'is well' })])

  it('shows and counts unknown results separately, with their reasons', () => {
    expect(verifyTable(unsure, plain).split('\n').slice(1)).to.deep.equal([
      'web1    answers  unknown  0.01 s',
      `    ${slow}`,
      '        is well  passed   0.01 s',
      '2 checks on 2 hosts: 1 passed, 1 unknown. (1.23 s)',
    ])
    const [first, , end] = verifyJson(unsure).map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(first).to.deep.include({ outcome: 'unknown', problem: { message: slow, details: [] } })
    expect(end).to.include({ passed: 1, failed: 0, unknown: 1 })
  })

  it('has separate exit statuses for failures, unreachable hosts and unknown results, in this order', () => {
    expect([bad, { ...bad, findings: bad.findings.slice(1) }, unsure].map(exitCodeOfVerification)).to.deep.equal([
      1, 3, 4,
    ])
    expect(exitCodeOfVerification(verified([finding({})]))).to.equal(0)
  })

  it('is available as JSON lines without secrets', () => {
    const lines = verifyJson(bad).map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(lines.map(({ kind, outcome, host }) => [kind, outcome ?? host])).to.deep.equal([
      ['check', 'failed'],
      ['check', 'unknown'],
      ['unreachable', 'web2'],
      ['end', undefined],
    ])
    expect(lines[0]?.['problem']).to.deep.equal({
      message: 'it said 503',
      details: ['with ***'],
      next: 'Look there.',
    })
    expect(lines[3]).to.include({ passed: 0, failed: 1, unknown: 1, ms: 1_234 })
  })
})
