import { expect } from 'chai'
import type { Finding, Verified } from '../../../src/model/check/verification.ts'
import type { Host } from '../../../src/model/inventory/host.ts'
import { Problem, Unknown } from '../../../src/model/problem.ts'
import { plain } from '../../../src/report/problem.ts'
import { changes, lastKnown, statusLines } from '../../../src/report/tables/watch-view.ts'

describe('the watch view', () => {
  const host = (name: string, group: string): Host => ({ name, group, address: '10.0.0.1' })
  const hosts = [host('lb1', 'lb'), host('lb2', 'lb'), host('db1', 'db'), host('db2', 'db')]
  const found = (about: string, label: string, more: Partial<Finding> = {}): Finding => ({
    about,
    label,
    outcome: 'passed',
    ms: undefined,
    problem: undefined,
    ...more,
  })
  const seen = (findings: readonly Finding[], lost: readonly string[] = []): Verified => ({
    hosts: hosts.map(({ name }) => name),
    findings,
    unreachable: new Map(lost.map((name) => [name, new Problem(`${name}: no answer`)])),
    ms: 120,
  })
  const failed = { outcome: 'failed', problem: new Problem('it is full') } as const
  const well = seen([
    found('lb', 'one holds 10.0.0.9', { said: 'lb1 holds 10.0.0.9' }),
    found('db1, db2', 'one is the primary', { said: 'db1 is the primary' }),
    found('db1', 'near', { said: 'db2 is 0.0 MiB behind' }),
    found('db2', 'has room'),
  ])

  it('has a line for each tier with the values of its checks', () => {
    expect(statusLines(well, hosts, plain)).to.deep.equal([
      '4 checks on 4 hosts: 4 passed. (0.12 s)',
      '  lb  lb1 lb2  lb1 holds 10.0.0.9',
      '  db  db1 db2  db1 is the primary; db2 is 0.0 MiB behind',
    ])
  })

  it('marks failed and unreachable hosts and lists the reasons, of many only the first', () => {
    const many = Array.from({ length: 12 }, (_, i) => found('db2', `part ${i}`, failed))
    expect(statusLines(seen([found('lb', 'one holds', {}), ...many], ['lb2']), hosts, plain)).to.deep.equal([
      '13 checks on 4 hosts: 1 passed, 12 failed, unreachable: lb2. (0.12 s)',
      '  lb  lb1 lb2?',
      '  db  db1 db2✗',
      '  ✗ lb2: no answer',
      ...Array.from({ length: 9 }, (_, i) => `  ✗ db2 part ${i}: it is full`),
      '  and 3 more; provision verify shows all',
    ])
  })

  it('shows changes, but not measured values that vary or unknown results of unreachable hosts', () => {
    const now = seen(
      [
        found('lb', 'one holds 10.0.0.9', { said: 'lb2 holds 10.0.0.9' }),
        found('db1, db2', 'one is the primary', { outcome: 'unknown' }),
        found('db1', 'near', { said: 'db2 is 0.3 MiB behind' }),
        found('db2', 'has room', failed),
      ],
      ['lb1'],
    )
    expect(changes(well, now)).to.deep.equal([
      'lb1: no answer',
      'lb one holds 10.0.0.9: lb2 holds 10.0.0.9 (before: lb1 holds 10.0.0.9)',
      'db2 has room: failed: it is full',
    ])
    expect(changes(now, well)).to.deep.equal([
      'lb1 is reachable again',
      'lb one holds 10.0.0.9: lb1 holds 10.0.0.9 (before: lb2 holds 10.0.0.9)',
      'db2 has room: passes again',
    ])
    expect(changes(well, well)).to.deep.equal([])
  })

  const slow = (seconds: number) =>
    ({ outcome: 'unknown', problem: new Unknown(`no answer within ${seconds} s`) }) as const

  it('shows a check that becomes unknown once and marks its host', () => {
    const now = seen([found('db2', 'has room', slow(10))])
    expect(statusLines(now, hosts, plain)).to.deep.equal([
      '1 check on 4 hosts: 0 passed, 1 unknown. (0.12 s)',
      '  lb  lb1 lb2',
      '  db  db1 db2?',
      '  ? db2 has room: unknown: no answer within 10 s',
    ])
    const later = seen([found('db2', 'has room', slow(12))])
    expect(changes(well, now)).to.deep.equal(['db2 has room: unknown: no answer within 10 s'])
    expect(changes(lastKnown(well, now), later)).to.deep.equal([])
    expect(changes(lastKnown(now, later), well)).to.deep.equal(['db2 has room: passes again'])
    expect(changes(later, seen([found('db2', 'has room', failed)]))).to.deep.equal(['db2 has room: failed: it is full'])
  })

  it('compares a check of a host that is reachable again with its last known state', () => {
    const lost = seen([found('lb', 'one holds 10.0.0.9', { outcome: 'unknown' })], ['lb1'])
    expect(changes(lastKnown(well, lost), well)).to.deep.equal(['lb1 is reachable again'])
  })
})
