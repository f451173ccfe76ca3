import { type Answers, after, allAnswers, askEach, type Host, mapAnswers, type Play, Problem, play } from 'provision-ts'
import { observedRecord } from '../../roles/postgres/lib/next-record.ts'
import { databaseStates, findPrimary, primaryOf } from '../../roles/postgres/lib/primary.ts'
import type { PrimaryRecord } from '../../roles/postgres/lib/record.ts'
import { waitsFor } from '../../roles/postgres/lib/waits-for.ts'
import { commitsWait } from '../../roles/postgres/resources/commits-wait.ts'
import { storedRecord } from '../../roles/postgres/resources/record.ts'
import type { DatabaseHost, Site } from '../schema.ts'
import { maintenanceSince } from './maintenance.ts'

/** Hosts that have a copy of the record of the primary. */
export function recorders({ db, app, lb, witness }: Recording): { readonly hosts: readonly Host[] } {
  return { hosts: [...db.hosts, ...app.hosts, ...lb.hosts, ...witness.hosts] }
}

type Recording = Pick<Site, 'db' | 'app' | 'lb' | 'witness'>

/** The primary, by the database hosts and by the newest record. @param candidates hosts that may be it */
export function primaryIn(
  values: Site,
  candidates: { readonly hosts: readonly DatabaseHost[] } = values.db,
): Answers<DatabaseHost | Problem> {
  return primaryOf(candidates, recorders(values))
}

/** A value with other answers. A Problem stays one. */
export function withAnswers<A, B>(value: Answers<A | Problem>, more: Answers<B>): Answers<readonly [A, B] | Problem> {
  return mapAnswers(allAnswers(value, more), ([one, other]) => (one instanceof Problem ? one : ([one, other] as const)))
}

interface RecordPlays {
  /** Hosts that may be the primary. */
  readonly candidates: { readonly hosts: readonly DatabaseHost[] }
  /** The host whose maintenance ends. */
  readonly back: Host | undefined
}

/** Each host gets the record of what the database hosts say now. Commits that wait for no replica, though they should, are reported. */
export function recordPlays(values: Site, { candidates, back }: RecordPlays): readonly Play[] {
  const { db, synchronous = db.hosts.length > 1 } = values
  const hosts = recorders(values)
  const found = allAnswers(
    allAnswers(databaseStates(candidates, hosts), databaseStates(db, hosts)),
    allAnswers(askEach(db, waitsFor), askEach(db, maintenanceSince)),
  )
  const observed = mapAnswers(found, ([[own, all], [names, marks]]) => {
    const primary = findPrimary(own.states, own.known)
    if (primary instanceof Problem) return undefined
    const waits = names.find(({ host }) => host === primary)?.answer
    const away = marks.flatMap(({ host, answer }) => (answer === undefined ? [] : [host.name]))
    return {
      primary,
      replicas: db.without(primary).filter(({ name }) => name === back?.name || !away.includes(name)),
      record: observedRecord({ ...all, primary, waitsFor: waits, now: new Date().toISOString() }),
    }
  })
  const same = sameForAll()
  return [
    play('database: record of the primary', { hosts, ignoreUnreachable: NEXT_RUN }, () =>
      after(observed, (one) => one?.record && storedRecord({ record: same(one.record) })),
    ),
    play('database: commits wait for a replica', { hosts: db }, (host) =>
      after(
        observed,
        (one) =>
          synchronous &&
          one?.primary === host &&
          commitsWait({ primary: host.name, replicas: one.replicas, record: one.record }),
      ),
    ),
  ]
}

export const NEXT_RUN = (): string => 'not reachable; the next run writes the record of the primary there'

/** All hosts get the same text: the record that was made first, when only the time differs. */
export function sameForAll(): (record: PrimaryRecord) => PrimaryRecord {
  let first: PrimaryRecord | undefined
  const content = (one: PrimaryRecord) => JSON.stringify({ ...one, at: '', since: '', noReplicaSince: '', log: [] })
  return (record) => {
    if (!first || content(first) !== content(record)) first = record
    return first
  }
}
