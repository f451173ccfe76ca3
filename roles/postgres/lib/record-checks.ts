import {
  allAnswers,
  askEach,
  type Check,
  expect,
  type Group,
  type HostAnswer,
  Problem,
  Unknown,
} from 'provision-ts'
import type { ClusterState } from './cluster-state.ts'
import { type Health, health } from './health.ts'
import {
  isOutdated,
  knownOf,
  outdated,
  recordInForce,
  recordWords,
  timeWords,
  unsureWords,
} from './known-record.ts'
import { type Copy, type PrimaryRecord, primaryRecord } from './record.ts'

type Found = readonly HostAnswer<Health | Problem>[]
type Copies = readonly HostAnswer<Copy>[]

export interface RecordChecksParams {
  readonly db: Pick<Group, 'hosts'>
  /** Hosts that have a copy of the record. */
  readonly recorders: Pick<Group, 'hosts'>
  /** True when the inventory wants commits to wait for a replica. */
  readonly synchronous: boolean
}

/**
 * Checks of the primary against the newest record. They are judged with the answers that there are: after a failover the old primary often
 * gives none.
 */
export function recordChecks({ db, recorders, synchronous }: RecordChecksParams): readonly Check[] {
  const asked = allAnswers(askEach(db, health), askEach(recorders, primaryRecord))
  const options = { about: 'db', ignoreUnreachable: true } as const
  return [
    expect('no later primary is on record', asked, ([found, copies]) => noLaterPrimary(found, copies), {
      ...options,
      says: ([, copies]) => saidOf(knownOf(copies).record),
    }),
    expect(
      'each host has the newest record of the primary',
      askEach(recorders, primaryRecord),
      (copies) => allHaveIt(copies),
      { ...options, next: 'Run provision: it writes the record there.' },
    ),
    ...(synchronous
      ? [
          expect(
            'commits wait for a replica',
            asked,
            ([found, copies]) => commitsWait(found, copies),
            options,
          ),
          expect(
            'each old primary has rejoined',
            askEach(recorders, primaryRecord),
            (copies) => allRejoined(copies),
            options,
          ),
        ]
      : []),
  ]
}

/** Unknown while more than half of the copies are silent, or no server says that it is the primary. */
export function noLaterPrimary(found: Found, copies: Copies): Problem | Unknown | undefined {
  const known = knownOf(copies)
  const places = found.map(({ host, answer }) => ({ host, answer: placeOf(answer) }))
  const record = recordInForce(known.record, places)
  const primary = places.find(({ answer }) => answer?.kind === 'cluster' && !answer.standby)
  if (record && primary?.answer?.kind === 'cluster' && isOutdated(record, primary.host.name, primary.answer))
    return outdated(primary.host.name, primary.answer, record, [])
  const unsure = unsureWords(known)
  if (unsure !== undefined) return new Unknown(unsure)
  if (!primary) return new Unknown('no host that answers is the primary')
  if (record) return undefined
  return new Problem('No host has a record of the primary', {
    next: 'Run provision: it writes one.',
  })
}

/** True of what is seen only: a host that gave no answer may have an older copy. */
export function allHaveIt(copies: Copies): string | Unknown | undefined {
  const { record } = knownOf(copies)
  if (!record) return new Unknown('no host that answers has a record')
  const older = copies.flatMap(({ host, answer }) =>
    answer && !(answer.kind === 'record' && answer.record.generation === record.generation)
      ? [`${host.name} has ${answer.kind === 'record' ? 'an older one' : 'none'}`]
      : [],
  )
  if (older.length > 0) return older.join('; ')
  const silent = copies.flatMap(({ host, answer }) => (answer ? [] : [host.name]))
  return silent.length > 0 ? new Unknown(`no answer from ${silent.join(', ')}`) : undefined
}

export function commitsWait(found: Found, copies: Copies): Problem | Unknown | undefined {
  const told = found.flatMap(({ host, answer }) =>
    answer && !(answer instanceof Problem) ? [{ host, ...answer }] : [],
  )
  const alone = told.find(({ standby, synchronous }) => !standby && !synchronous)
  if (alone) return waitsForNone(alone.host.name, knownOf(copies).record)
  if (told.some(({ standby }) => !standby)) return undefined
  return new Unknown('no host that answers is the primary')
}

/** The state after a failover, and after commits were told not to wait. */
export function waitsForNone(primary: string, record: PrimaryRecord | undefined): Problem {
  const own = record?.primary === primary ? record : undefined
  const since = own?.noReplicaSince === undefined ? '' : ` since ${timeWords(own.noReplicaSince)}`
  const behind = own?.behind.map(({ host }) => host) ?? []
  return new Problem(`Commits on ${primary} wait for no replica${since}`, {
    details: [`What ${primary} acknowledges is on ${primary} alone, and lost with it.`],
    next:
      behind.length > 0
        ? `Bring back ${behind.join(', ')}: ${behind.map((host) => `provision rejoin --host ${host}`).join('; ')}`
        : 'Bring a replica back, then run provision: commits wait again once one follows.',
  })
}

export function allRejoined(copies: Copies): Problem | Unknown | undefined {
  const { record } = knownOf(copies)
  if (!record) return new Unknown('no host that answers has a record')
  if (record.behind.length === 0) return undefined
  return new Problem(
    record.behind.map(({ host, since }) => `${host} has not rejoined since ${timeWords(since)}`).join('; '),
    {
      details: [`${recordWords(record)}.`],
      next: record.behind.map(({ host }) => `provision rejoin --host ${host}`).join('; '),
    },
  )
}

function saidOf(record: PrimaryRecord | undefined): string | undefined {
  return record && `${recordWords(record)}`
}

function placeOf(answer: Health | Problem | undefined): ClusterState | undefined {
  if (!answer || answer instanceof Problem) return undefined
  const { version, standby, system, timeline } = answer
  return { kind: 'cluster', version, standby, running: true, system, timeline, state: 'in production' }
}
