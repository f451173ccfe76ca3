import { expect } from 'chai'
import type { Health } from '../../roles/postgres/lib/health.ts'
import type { Copy, PrimaryRecord } from '../../roles/postgres/lib/record.ts'
import { allHaveIt, allRejoined, commitsWait, noLaterPrimary } from '../../roles/postgres/lib/record-checks.ts'
import { commitsWait as commitsWaitStep } from '../../roles/postgres/resources/commits-wait.ts'
import { Problem, Unknown } from '../../src/index.ts'
import { RECORD } from './records.ts'

const db1 = { name: 'db1', group: 'db', address: '198.18.0.41' }
const db2 = { name: 'db2', group: 'db', address: '198.18.0.42' }
const app1 = { name: 'app1', group: 'app', address: '198.18.0.31' }

const HEALTH: Health = {
  ...{ standby: false, version: 15, system: '77', timeline: 3, receives: null, synchronous: true },
  ...{ replicas: [], lost: [], pending: [] },
}
const STANDBY: Health = { ...HEALTH, standby: true }
const SILENT = new Unknown('no answer within 10.0 s')

const found = (a: Health | Problem | undefined, b: Health | Problem | undefined) => [
  { host: db1, answer: a },
  { host: db2, answer: b },
]
const copies = (...answers: readonly (PrimaryRecord | 'none' | undefined)[]) =>
  answers.map((one, i) => {
    const answer: Copy | undefined = one === 'none' ? { kind: 'none' } : one && { kind: 'record', record: one }
    return { host: [db1, db2, app1][i] ?? app1, answer }
  })
const all = copies(RECORD, RECORD, RECORD)
const words = (problem: Problem | string | undefined) =>
  problem instanceof Problem ? [problem.message, ...problem.details, problem.next ?? ''].join('\n') : problem

describe('checks against the record of the primary', () => {
  it('pass for the primary that the record names', () => {
    expect(noLaterPrimary(found(STANDBY, HEALTH), all)).to.equal(undefined)
    expect(noLaterPrimary(found(undefined, HEALTH), all), 'the other one is off').to.equal(undefined)
  })

  it('find a primary with old data, also while the one on record is off', () => {
    const said = words(noLaterPrimary(found({ ...HEALTH, timeline: 2 }, undefined), copies('none', undefined, RECORD)))
    expect(said).to.include('db1 is a primary with old data').and.include('provision rejoin --host db1')
  })

  it('are unknown without an answer of a primary, or of most hosts with a copy', () => {
    expect(noLaterPrimary(found(SILENT, SILENT), all)).to.be.instanceOf(Unknown)
    expect(noLaterPrimary(found(STANDBY, SILENT), all)).to.deep.include({
      message: 'no host that answers is the primary',
    })
    expect(noLaterPrimary(found(STANDBY, HEALTH), copies(undefined, RECORD, undefined))).to.be.instanceOf(Unknown)
    expect(noLaterPrimary(found(undefined, undefined), copies(undefined, undefined, undefined))).to.be.instanceOf(
      Unknown,
    )
  })

  it('fail if no host has a record, or some have an older one', () => {
    expect(words(noLaterPrimary(found(STANDBY, HEALTH), copies('none', 'none', 'none')))).to.include(
      'No host has a record of the primary',
    )
    expect(allHaveIt(copies(RECORD, { ...RECORD, generation: 4 }, 'none'))).to.equal(
      'db2 has an older one; app1 has none',
    )
    expect(allHaveIt(all)).to.equal(undefined)
    expect(allHaveIt(copies(RECORD, undefined, RECORD))).to.be.instanceOf(Unknown)
    expect(allHaveIt(copies('none', undefined, undefined))).to.deep.include({
      message: 'no host that answers has a record',
    })
  })

  describe('after a failover', () => {
    const failedOver: PrimaryRecord = {
      ...{ ...RECORD, waitsFor: [], noReplicaSince: '2026-01-31T12:00:00.000Z' },
      behind: [{ host: 'db1', since: '2026-01-31T12:00:00.000Z' }],
    }
    const alone = { ...HEALTH, synchronous: false }

    it('report that commits wait for no replica, although the old primary does not answer', () => {
      for (const old of [undefined, SILENT]) {
        const said = words(commitsWait(found(old, alone), copies(undefined, failedOver, failedOver)))
        expect(said).to.include('Commits on db2 wait for no replica since 2026-01-31 12:00:00 UTC')
        expect(said).to.include('are only on db2').and.include('provision rejoin --host db1')
      }
    })

    it('pass once commits wait, and are unknown while no primary answers', () => {
      expect(commitsWait(found(STANDBY, HEALTH), all)).to.equal(undefined)
      expect(commitsWait(found(STANDBY, SILENT), all)).to.be.instanceOf(Unknown)
      expect(commitsWait(found(undefined, undefined), all)).to.be.instanceOf(Unknown)
    })

    it('name old primaries until they have rejoined', () => {
      const said = words(allRejoined(copies(undefined, failedOver, { ...RECORD, generation: 4 })))
      expect(said).to.include('db1 has not rejoined since 2026-01-31 12:00:00 UTC')
      expect(allRejoined(all)).to.equal(undefined)
      expect(allRejoined(copies(undefined, undefined, undefined))).to.be.instanceOf(Unknown)
    })

    it('have the same message as the failure of a run', () => {
      const step = commitsWaitStep({ primary: 'db2', replicas: [db1], record: failedOver })
      expect(step.diff({ names: '' })?.fields).to.deep.equal([{ name: 'wait for', from: 'no replica', to: 'db1' }])
      expect(step.diff({ names: 'ANY 1 ("db1")' })).to.equal(undefined)
      expect(step.diff(undefined), 'no server answers').to.equal(undefined)
      const [command] = step.apply(undefined)
      expect(command?.script.text).to.include('wait for no replica since').and.include('exit 1')
      expect(commitsWaitStep({ primary: 'db2', replicas: [], record: undefined }).diff({ names: '' })).to.equal(
        undefined,
      )
    })
  })
})
