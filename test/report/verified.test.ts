import { expect } from 'chai'
import { Problem } from '../../src/model/problem.ts'
import type { Finding, Verified } from '../../src/model/verification.ts'
import { plain } from '../../src/report/problem.ts'
import { verifiedJson, verifiedTable } from '../../src/report/verified.ts'
import { secret as sources } from '../../src/secrets/sources.ts'

describe('the table of a verification', () => {
  const finding = (of: Partial<Finding>): Finding => ({
    about: 'web1',
    label: 'answers',
    outcome: 'held',
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

  it('has a line a check, those of one host together, and all in one sentence', () => {
    const all = verified([
      finding({}),
      finding({ about: 'web', label: 'are of one mind', ms: undefined }),
      finding({ label: 'is well' }),
    ])
    expect(verifiedTable(all, plain).split('\n')).to.deep.equal([
      'who   what             result  took',
      'web1  answers          ok      0.01 s',
      '      is well          ok      0.01 s',
      'web   are of one mind  ok',
      'All hold: 3 checks of 2 hosts. (1.23 s)',
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

  it('says why a check failed, what to do, and which hosts were not reached', () => {
    expect(verifiedTable(bad, plain).split('\n')).to.deep.equal([
      'who   what     result     took',
      'web1  answers  failed     0.01 s',
      '    it said 503',
      '    with ***',
      '    Look there.',
      'web2  answers  not known',
      'error: web2: no route to it',
      'Of 2 checks of 2 hosts: 1 failed, 1 could not be made, not reached: web2. (1.23 s)',
    ])
  })

  it('is an object a line for programs, without secrets', () => {
    const lines = verifiedJson(bad).map((line) => JSON.parse(line) as Record<string, unknown>)
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
    expect(lines[3]).to.include({ held: 0, failed: 1, unknown: 1, ms: 1_234 })
  })
})
