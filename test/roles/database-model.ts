import type { Host, HostAnswer } from 'provision-ts'
import type { ClusterState } from '../../roles/postgres/lib/cluster-state.ts'
import { choosePrimaryWithoutReplica } from '../../roles/postgres/lib/disable-sync.ts'
import { isOutdated, type Known, NO_RECORD, newestRecord, validRecord } from '../../roles/postgres/lib/known-record.ts'
import { noReplicaRecord, observedRecord, promotionRecord } from '../../roles/postgres/lib/next-record.ts'
import { findPrimary } from '../../roles/postgres/lib/primary.ts'
import type { Copy, PrimaryRecord } from '../../roles/postgres/lib/record.ts'
import type { ReplicationState } from '../../roles/postgres/lib/replication-state.ts'
import { planFailover } from '../../roles/postgres/resources/failover.ts'
import { Problem } from '../../src/index.ts'
import { accepted } from '../support/words.ts'

/**
 * A model of two database hosts and an application host: the parts of PostgreSQL, the fence and the operations that
 * determine which writes survive. The decisions are those of the roles; the rest is a minimal model of a server.
 */
export interface Model {
  readonly databases: Readonly<Record<Database, Server>>
  /** The copy of the record, and the power state of the host. */
  readonly app: { readonly on: boolean; readonly record: PrimaryRecord | undefined }
  /** Writes that were acknowledged to a client. */
  readonly acknowledged: readonly number[]
  readonly writes: number
}

export type Database = 'db1' | 'db2'

interface Server {
  readonly on: boolean
  /** The server runs and answers. */
  readonly running: boolean
  readonly masked: boolean
  /** standby.signal exists. */
  readonly standby: boolean
  readonly timeline: number
  /** Commits wait for a replica. */
  readonly waits: boolean
  /** The same as `waits`, as a setting of the database `postgres`, as far as this host has replayed it. */
  readonly mark: boolean
  /** A standby has received WAL since it started. */
  readonly received: boolean
  /** The ids of the writes that the host has; `end` is the end of its WAL. */
  readonly data: readonly number[]
  readonly end: number
  readonly record: PrimaryRecord | undefined
}

export type Step =
  | { readonly do: 'kill' | 'power on'; readonly host: Database | 'app1' }
  | { readonly do: 'failover' | 'failover cut short'; readonly host: Database }
  | { readonly do: 'rejoin'; readonly host: Database }
  | { readonly do: 'write' | 'disable sync' | 'run' }

export interface Taken {
  readonly model: Model
  /** The message of a refusal. */
  readonly refused?: string
  /** The writes that this step lost. */
  readonly lost?: string
}

export interface ModelOptions {
  /** True if hosts keep records. */
  readonly records: boolean
}

type Seeded = Host<{ readonly seed: boolean }>

const HOSTS: Readonly<Record<Database | 'app1', Seeded>> = {
  db1: { name: 'db1', group: 'db', address: '10.0.0.1', seed: true },
  db2: { name: 'db2', group: 'db', address: '10.0.0.2', seed: false },
  app1: { name: 'app1', group: 'app', address: '10.0.0.3', seed: false },
}
const NAMES = ['db1', 'db2'] as const
const NOW = '2026-01-31T12:00:00.000Z'
const SYSTEM = '77'

const SERVER: Server = {
  ...{ on: true, running: true, masked: false, standby: false, timeline: 1, waits: true, mark: true },
  ...{ received: false, data: [], end: 1, record: undefined },
}

/** The start state: db2 is the primary after a switchover, and db1 follows it. */
export function begin({ records }: ModelOptions): Model {
  const model: Model = {
    databases: {
      db1: { ...SERVER, standby: true, waits: false, received: true, timeline: 2 },
      db2: { ...SERVER, timeline: 2 },
    },
    app: { on: true, record: undefined },
    ...{ acknowledged: [], writes: 0 },
  }
  return records ? recorded(model, 'db2') : model
}

export function take(model: Model, step: Step, options: ModelOptions): Taken {
  try {
    const taken = act(model, step, options)
    return { ...taken, model: settled(taken.model) }
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    return { model, refused: [error.message, ...error.details, error.next ?? ''].join('\n') }
  }
}

function act(model: Model, step: Step, options: ModelOptions): Taken {
  switch (step.do) {
    case 'kill':
      return { model: killed(model, step.host) }
    case 'power on':
      return { model: poweredOn(model, step.host, options) }
    case 'write':
      return written(model)
    case 'failover':
      return failedOver(model, step.host, options, true)
    case 'failover cut short':
      return failedOver(model, step.host, options, false)
    case 'disable sync':
      return { model: disabledSync(model, options) }
    case 'rejoin':
      return rejoined(model, step.host, options)
    case 'run':
      return { model: run(model, options) }
  }
}

function killed(model: Model, host: Database | 'app1'): Model {
  if (host === 'app1') return { ...model, app: { ...model.app, on: false } }
  return changed(model, host, { on: false, running: false, received: false })
}

function poweredOn(model: Model, host: Database | 'app1', { records }: ModelOptions): Model {
  if (host === 'app1') return { ...model, app: { ...model.app, on: true } }
  const own = model.databases[host]
  if (own.on) return model
  const running = !own.masked && (own.standby || !isFenced(model, host, records))
  return changed(model, host, { on: true, running })
}

/** The check of roles/postgres/fence.ts before a server starts as a primary. */
function isFenced(model: Model, host: Database, records: boolean): boolean {
  const own = model.databases[host]
  const peer = model.databases[other(host)]
  if (peer.running && !peer.standby && peer.timeline >= own.timeline) return true
  const { record } = own
  if (!records || !record || record.primary === host || record.timeline < own.timeline) return false
  return !(peer.running && peer.standby)
}

/** A client that does not know the records writes to each running primary. */
function written(model: Model): Taken {
  const id = model.writes + 1
  let next: Model = { ...model, writes: id }
  let lost: string | undefined
  for (const name of NAMES) {
    const server = next.databases[name]
    if (!server.running || server.standby) continue
    const isFollowed = follows(next, other(name))
    if (server.waits && !isFollowed) continue
    const missing = next.acknowledged.filter((one) => !server.data.includes(one))
    if (missing.length > 0) lost = `${name} acknowledges write ${id} and lacks ${missing.join(', ')}`
    next = changed(next, name, { data: [...server.data, id], end: server.end + 1 })
    next = { ...next, acknowledged: [...next.acknowledged, id] }
  }
  return { model: next, ...(lost !== undefined && { lost }) }
}

function failedOver(model: Model, to: Database, { records }: ModelOptions, isWhole: boolean): Taken {
  const known = knownBy(model, records)
  const all = NAMES.map((name) => ({ host: HOSTS[name], answer: standingOf(model, name) }))
  const move = accepted(planFailover(all, { to, acceptDataLoss: false }, known))
  if (!move) return { model }
  const states = statesOf(model)
  const record = promotionRecord({
    ...{ known, states, now: NOW, event: 'failover', to: HOSTS[to], system: SYSTEM },
    ...{ timeline: move.timeline, behind: [...move.fenced, ...move.silent], lost: move.loss },
  })
  let next = records ? keptBy(model, record) : model
  if (!isWhole) return { model: next }
  for (const { name } of move.fenced) if (isDatabase(name)) next = changed(next, name, { masked: true, running: false })
  const { data, end } = next.databases[to]
  const missing = model.acknowledged.filter((one) => !data.includes(one))
  next = changed(next, to, {
    ...{ standby: false, timeline: move.timeline, end: end + 1 },
    ...{ waits: false, mark: false, received: false },
  })
  return missing.length > 0
    ? { model: next, lost: `${to} becomes the primary and lacks ${missing.join(', ')}` }
    : { model: next }
}

function disabledSync(model: Model, { records }: ModelOptions): Model {
  const found = { states: statesOf(model), known: knownBy(model, records) }
  const primary = accepted(choosePrimaryWithoutReplica(found, { acceptDataLoss: false }))
  if (!isDatabase(primary.name) || !model.databases[primary.name].running) return model
  const record = records ? noReplicaRecord({ ...found, primary, now: NOW }) : undefined
  return changed(record ? keptBy(model, record) : model, primary.name, { waits: false, mark: false })
}

function rejoined(model: Model, host: Database, options: ModelOptions): Taken {
  const own = model.databases[host]
  if (!own.on) throw new Problem(`${host} does not answer`, { next: 'Start it.' })
  const known = knownBy(model, options.records)
  const name = other(host)
  const others = statesOf(model).filter((one) => one.host.name === name)
  accepted(findPrimary(others, known))
  const primary = model.databases[name]
  if (!primary.on) throw new Problem(`${name} does not answer`, { next: 'Start it.' })
  if (own.timeline > primary.timeline)
    throw new Problem(`${host} is on a later timeline than ${name}`, { next: 'Rejoin the other one.' })
  const missing = model.acknowledged.filter((one) => own.data.includes(one) && !primary.data.includes(one))
  const next = changed(model, host, {
    ...{ standby: true, masked: false, running: true, waits: false, received: true },
    ...{ data: primary.data, end: primary.end, timeline: primary.timeline, mark: primary.mark },
  })
  const taken = { model: replicated(next, name, options) }
  return missing.length > 0 ? { ...taken, lost: `${missing.join(', ')} are undone on ${host}` } : taken
}

/** A run of the site: the standby follows, and writes wait for it. */
function run(model: Model, options: ModelOptions): Model {
  const primary = accepted(findPrimary(statesOf(model), knownBy(model, options.records))).name
  if (!isDatabase(primary)) throw new Error('it is a database host')
  const replica = other(primary)
  if (model.databases[replica].on && !model.databases[replica].standby)
    throw new Problem(`${replica} was a primary itself`, { next: `provision rejoin --host ${replica}` })
  if (!model.databases[primary].running) return model
  return replicated(model, primary, options)
}

/** Makes writes wait for a replica that follows, then updates the record. */
function replicated(model: Model, primary: Database, { records }: ModelOptions): Model {
  const next = follows(model, other(primary))
    ? settled(changed(model, primary, { running: true, waits: true, mark: true }))
    : model
  return records ? recorded(next, primary) : next
}

function recorded(model: Model, primary: Database): Model {
  const { waits } = model.databases[primary]
  const record = observedRecord({
    ...{ known: knownBy(model, true), states: statesOf(model), primary: HOSTS[primary], now: NOW },
    waitsFor: waits ? [other(primary)] : [],
  })
  return record ? keptBy(model, record) : model
}

/** Standbys that follow get all data of their primary; a fence stops a primary if its successor answers. */
function settled(model: Model): Model {
  let next = model
  for (const name of NAMES) {
    const peer = next.databases[other(name)]
    const { data, end, timeline, mark } = peer
    if (follows(next, name)) next = changed(next, name, { data, end, timeline, mark, received: true })
  }
  for (const name of NAMES) {
    const own = next.databases[name]
    const peer = next.databases[other(name)]
    const isReplaced = peer.running && !peer.standby && peer.timeline > own.timeline
    if (own.running && !own.standby && isReplaced) next = changed(next, name, { running: false })
  }
  return next
}

/** True if the primary runs and has all data of the standby. */
function follows({ databases }: Model, name: Database): boolean {
  const [own, peer] = [databases[name], databases[other(name)]]
  if (!own.running || !own.standby || !peer.running || peer.standby) return false
  return peer.timeline >= own.timeline && own.data.every((one, i) => peer.data[i] === one)
}

function knownBy(model: Model, records: boolean): Known {
  if (!records) return NO_RECORD
  const copy = (on: boolean, record: PrimaryRecord | undefined): Copy | undefined =>
    on ? (record ? { kind: 'record', record } : { kind: 'none' }) : undefined
  return newestRecord([
    ...NAMES.map((name) => ({
      host: HOSTS[name],
      answer: copy(model.databases[name].on, model.databases[name].record),
    })),
    { host: HOSTS.app1, answer: copy(model.app.on, model.app.record) },
  ])
}

function keptBy(model: Model, record: PrimaryRecord): Model {
  const databases = NAMES.reduce(
    (next, name) => (next.databases[name].on ? changed(next, name, { record }) : next),
    model,
  )
  return model.app.on ? { ...databases, app: { ...model.app, record } } : databases
}

function statesOf(model: Model): readonly { host: Seeded; answer: ClusterState | undefined }[] {
  return NAMES.map((name) => ({ host: HOSTS[name], answer: placeOf(model.databases[name]) }))
}

function placeOf({ on, running, standby, timeline }: Server): ClusterState | undefined {
  if (!on) return undefined
  return {
    ...{ kind: 'cluster', version: 15, system: SYSTEM, state: 'in production' },
    ...{ running, standby, timeline },
  }
}

function standingOf(model: Model, name: Database): ReplicationState | undefined {
  const own = model.databases[name]
  const place = placeOf(own)
  if (!place) return undefined
  const isStopped = !own.running && !own.standby
  return {
    ...{ cluster: place, uptime: 1000, seesPrimary: follows(model, name) },
    server: own.running
      ? {
          ...{ synchronous: own.mark, backup: false, oldestTransaction: 0, replicas: [], receiver: null },
          ...{ received: own.received ? lsn(own.end) : null, replayed: lsn(own.end), lastCommit: NOW },
        }
      : undefined,
    lastRecord: isStopped ? lsn(own.end, -8) : undefined,
  }
}

function lsn(end: number, offset = 0): string {
  return `0/${(end * 16 + offset).toString(16).toUpperCase()}`
}

function changed(model: Model, name: Database, change: Partial<Server>): Model {
  return { ...model, databases: { ...model.databases, [name]: { ...model.databases[name], ...change } } }
}

function other(name: Database): Database {
  return name === 'db1' ? 'db2' : 'db1'
}

function isDatabase(name: string): name is Database {
  return name === 'db1' || name === 'db2'
}

/** True if a client that reads the record, like the sample application, does not write to this primary. */
export function isRefusedByClient(model: Model, name: Database): boolean {
  const record = validRecord(model.app.record, statesOf(model) satisfies readonly HostAnswer<ClusterState>[])
  return isOutdated(record, name, { system: SYSTEM, timeline: model.databases[name].timeline })
}
