import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { expect } from 'chai'
import type { Host, HostAnswer } from 'provision-ts'
import type { ClusterState } from '../../roles/postgres/lib/cluster-state.ts'
import { choosePrimaryWithoutReplica } from '../../roles/postgres/lib/disable-sync.ts'
import { isOutdated, type Known, NO_RECORD, newestRecord, validRecord } from '../../roles/postgres/lib/known-record.ts'
import { observedRecord, promotionRecord } from '../../roles/postgres/lib/next-record.ts'
import { findPrimary } from '../../roles/postgres/lib/primary.ts'
import {
  type Copy,
  type PrimaryRecord,
  parseRecord,
  RECORD_DIRECTORY,
  recordText,
  writeRecord,
} from '../../roles/postgres/lib/record.ts'
import { namesIn } from '../../roles/postgres/lib/waits-for.ts'
import { storedRecord } from '../../roles/postgres/resources/record.ts'
import { wordsOf } from '../support/words.ts'
import { RECORD } from './records.ts'

type Db = Host<{ readonly seed: boolean }>

const db1: Db = { name: 'db1', group: 'db', address: '198.18.0.41', seed: true }
const db2: Db = { name: 'db2', group: 'db', address: '198.18.0.42', seed: false }
const app1: Host = { name: 'app1', group: 'app', address: '198.18.0.31' }
const app2: Host = { name: 'app2', group: 'app', address: '198.18.0.32' }

const cluster = (standby: boolean, running: boolean, timeline: number): ClusterState => ({
  ...{ kind: 'cluster', version: 15, system: '77', state: 'in production' },
  ...{ standby, running, timeline },
})
const states = (a: ClusterState | undefined, b: ClusterState | undefined): readonly HostAnswer<ClusterState, Db>[] => [
  { host: db1, answer: a },
  { host: db2, answer: b },
]
const copy = (record: PrimaryRecord): Copy => ({ kind: 'record', record })
const NONE: Copy = { kind: 'none' }
const known = (record: PrimaryRecord = RECORD): Known => ({ ...NO_RECORD, record, answered: ['app1', 'db1'] })

describe('the record of the primary', () => {
  describe('on a host', () => {
    let root: string
    const path = () => `${root}/primary.json`
    const write = (record: PrimaryRecord) => {
      const script = writeRecord(record).script.text.replaceAll(RECORD_DIRECTORY, root)
      return spawnSync('sh', ['-c', `umask 077\n${script}`], { encoding: 'utf8' })
    }

    beforeEach(() => {
      root = mkdtempSync(`${tmpdir()}/provision-record-`)
    })
    afterEach(() => rmSync(root, { recursive: true }))

    it('is written atomically, readable for all users, and read again', () => {
      expect(write(RECORD).status).to.equal(0)
      expect(parseRecord(readFileSync(path(), 'utf8'))).to.deep.equal(copy(RECORD))
      expect(statSync(path()).mode & 0o777).to.equal(0o644)
      expect(write(RECORD).status, 'the same again').to.equal(0)
    })

    it('replaces an older one and a broken one, and never a newer one', () => {
      write(RECORD)
      expect(write({ ...RECORD, generation: 6, timeline: 4 }).status).to.equal(0)
      const refused = write({ ...RECORD, timeline: 9 })
      expect(refused.status).to.equal(1)
      expect(refused.stderr).to.include('a newer record of the primary')
      expect(write({ ...RECORD, generation: 6, timeline: 9 }).status, 'another with the same number').to.equal(1)
      expect(parseRecord(readFileSync(path(), 'utf8'))).to.deep.include({ kind: 'record' })
      expect(readFileSync(path(), 'utf8')).to.include('"timeline": 4')
      writeFileSync(path(), '{ "generation": ')
      expect(write(RECORD).status).to.equal(0)
    })

    it('is ignored if it is broken or of another format', () => {
      expect(parseRecord('')).to.deep.equal(NONE)
      expect(parseRecord('{').kind).to.equal('unreadable')
      expect(parseRecord('unreadable').kind).to.equal('unreadable')
      expect(parseRecord('{"format": 1}').kind).to.equal('unreadable')
      expect(parseRecord(recordText(RECORD).replace('"format": 1', '"format": 2')).kind).to.equal('unreadable')
    })
  })

  describe('that is the newest', () => {
    const found = (...copies: readonly (Copy | undefined)[]) =>
      newestRecord(copies.map((answer, i) => ({ host: [db1, db2, app1, app2][i] ?? app1, answer })))

    it('has the highest number', () => {
      const newer = { ...RECORD, generation: 6, timeline: 2 }
      expect(found(copy(RECORD), copy(newer), NONE).record).to.equal(newer)
    })

    it('is known if more than half of the hosts with a copy answer', () => {
      expect(found(copy(RECORD), undefined, copy(RECORD)).sure).to.equal(true)
      const uncertain = found(copy(RECORD), undefined, undefined)
      expect(uncertain).to.deep.include({ sure: false, silent: ['db2', 'app1'] })
      expect(found(copy(RECORD), undefined, NONE, undefined).sure, 'app2 never had one').to.equal(true)
      expect(found({ kind: 'unreadable', why: '' }, undefined, copy(RECORD)).sure).to.equal(false)
      expect(found(undefined, NONE, undefined).sure, 'no host has one').to.equal(false)
    })

    it('is ignored if its promotion did not happen', () => {
      const { log: _log, ...before } = { ...RECORD, generation: 4, timeline: 2, primary: 'db1' }
      const promised = { ...RECORD, previous: before }
      expect(validRecord(promised, states(cluster(false, true, 2), cluster(true, true, 2)))).to.deep.include({
        ...{ primary: 'db1', timeline: 2, generation: 5 },
      })
      expect(validRecord(promised, states(undefined, cluster(false, true, 3)))).to.equal(promised)
      expect(validRecord(promised, states(cluster(false, true, 2), undefined)), 'no host can say').to.equal(promised)
    })

    it('makes data of an older timeline outdated, and data of the same timeline on another host', () => {
      const at = (timeline: number) => ({ system: '77', timeline })
      expect(isOutdated(RECORD, 'db1', at(2))).to.equal(true)
      expect(isOutdated(RECORD, 'db1', at(3))).to.equal(true)
      expect(isOutdated(RECORD, 'db1', at(4))).to.equal(false)
      expect(isOutdated(RECORD, 'db2', at(3))).to.equal(false)
      expect(isOutdated(RECORD, 'db1', { system: '78', timeline: 2 })).to.equal(false)
      expect(isOutdated(undefined, 'db1', at(1))).to.equal(false)
    })
  })

  describe('decides', () => {
    const old = states(cluster(false, true, 2), undefined)

    it('that a primary with old data is rejected, with the possible loss and the next action', async () => {
      const said = await wordsOf(() => findPrimary(old, known()))
      expect(said).to.include('db1 is a primary with old data: ')
      expect(said).to.include('db2 has been the primary on timeline 3 since 2026-01-31 12:00:00 UTC (failover)')
      expect(said).to.include('Writes on db2 since 2026-01-31 12:00:00 UTC are not on db1, and would be lost')
      expect(said).to.include('Start db2, then: provision rejoin --host db1')
      expect(findPrimary(old), 'without a record').to.equal(db1)
    })

    it('that a stopped primary with old data is not started', async () => {
      const stopped = states(cluster(false, false, 2), cluster(false, false, 3))
      expect(findPrimary(stopped, known())).to.equal(db2)
      const said = await wordsOf(() => findPrimary(states(cluster(false, false, 2), cluster(true, true, 3)), known()))
      expect(said)
        .to.include('No primary can be found')
        .and.include('According to the record, db2 has been the primary')
    })

    it('if commits may continue without a replica; if that is unknown, the operator decides', async () => {
      const silent = {
        ...known({ ...RECORD, primary: 'db1', timeline: 2 }),
        sure: false,
        silent: ['app1', 'db2'],
      }
      const wish = (acceptDataLoss: boolean) =>
        choosePrimaryWithoutReplica({ states: old, known: silent }, { acceptDataLoss })
      const said = await wordsOf(() => wish(false))
      expect(said).to.include('Unknown: another host may have become the primary after db1')
      expect(said).to.include('app1, db2 did not answer').and.include('--accept-data-loss')
      expect(wish(true)).to.equal(db1)
      expect(choosePrimaryWithoutReplica({ states: old, known: known() }, { acceptDataLoss: true })).to.be.instanceOf(
        Error,
      )
    })
  })

  describe('after a change', () => {
    const now = '2026-02-01T00:00:00.000Z'
    const both = states(cluster(true, true, 3), cluster(false, true, 3))
    const observe = (record: PrimaryRecord | undefined, waitsFor: readonly string[] | undefined) =>
      observedRecord({
        ...{ known: { ...known(), record, answered: ['app1', 'db1', 'db2'] }, states: both, primary: db2 },
        ...{ waitsFor, now },
      })

    it('is the same if the hosts report the same', () => {
      expect(observe(RECORD, ['db1'])).to.equal(RECORD)
      expect(observe(RECORD, undefined), 'the primary could not be asked').to.equal(RECORD)
    })

    it('contains the time since which commits wait for no replica', () => {
      const off = observe(RECORD, [])
      expect(off).to.deep.include({
        event: 'replication off',
        noReplicaSince: now,
        since: RECORD.since,
        generation: 6,
      })
      expect(off && observe(off, [])).to.equal(off)
      expect(off && observe(off, ['db1'])).to.deep.include({ event: 'replication on', waitsFor: ['db1'] })
    })

    it('contains a promotion with the writes that the old primary lacks, and its rejoin', () => {
      const moved = promotionRecord({
        ...{ known: known(), states: both, now, event: 'failover', to: db1, system: '77' },
        ...{ timeline: 4, behind: [db2], lost: 'nothing' },
      })
      expect(moved).to.deep.include({
        primary: 'db1',
        timeline: 4,
        waitsFor: [],
        noReplicaSince: now,
        lost: 'nothing',
      })
      expect(moved.behind).to.deep.equal([{ host: 'db2', since: now }])
      expect(moved.previous).to.deep.include({ primary: 'db2', timeline: 3 })
      expect(moved.log[0]).to.deep.equal({ at: now, event: 'failover', primary: 'db1', timeline: 4 })
      const rejoined = observedRecord({
        known: { ...known(moved), answered: ['db1', 'db2'] },
        ...{
          states: states(cluster(false, true, 4), cluster(true, true, 4)),
          primary: db1,
          waitsFor: ['db2'],
          now,
        },
      })
      expect(rejoined).to.deep.include({ event: 'rejoin', behind: [], waitsFor: ['db2'] })
      expect(rejoined).not.to.have.property('noReplicaSince')
    })

    it('is never made by a primary with old data', () => {
      const parts = { known: known(), waitsFor: undefined, now }
      expect(observedRecord({ ...parts, states: states(cluster(false, true, 2), undefined), primary: db1 })).to.equal(
        undefined,
      )
    })

    it('keeps hosts that do not answer', () => {
      const silent = { ...known(), answered: ['db2', 'app2'], silent: ['db1', 'app1'] }
      const record = observedRecord({ known: silent, states: both, primary: db2, waitsFor: ['db1'], now })
      expect(record?.hosts).to.deep.equal(['app1', 'app2', 'db1', 'db2'])
    })

    it('is written to hosts with an older one, or none', () => {
      const step = storedRecord({ record: RECORD })
      expect(step.diff(NONE)?.action).to.equal('create')
      expect(step.diff(copy({ ...RECORD, generation: 4, timeline: 2 }))?.fields).to.deep.equal([
        { name: 'timeline', from: '2', to: '3' },
      ])
      expect(step.diff(copy(RECORD))).to.equal(undefined)
    })
  })

  it('reads the names of synchronous_standby_names', () => {
    expect(namesIn('ANY 1 ("db3", "db2")')).to.deep.equal(['db2', 'db3'])
    expect(namesIn('db2'), 'as Patroni writes it').to.deep.equal(['db2'])
    expect(namesIn('')).to.deep.equal([])
    expect(namesIn('*'), 'any replica').to.equal(undefined)
  })
})
