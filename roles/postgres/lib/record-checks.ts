import { allAnswers, askEach, type Check, expect, type Group, type HostAnswer, Problem, Unknown } from 'provision-ts'
import type { ClusterState } from './cluster-state.ts'
import { type Health, health } from './health.ts'
import {
  describeRecord,
  formatTime,
  isOutdated,
  newestRecord,
  outdatedProblem,
  uncertainty,
  validRecord,
} from './known-record.ts'
import { type Copy, type PrimaryRecord, primaryRecord } from './record.ts'

type Found = readonly HostAnswer<Health | Problem>[]
type Copies = readonly HostAnswer<Copy>[]

interface RecordChecksParams {
  readonly db: Pick<Group, 'hosts'>
  /** Hosts with a copy of the record. */
  readonly recorders: Pick<Group, 'hosts'>
  /** True if commits must wait for a replica. */
  readonly synchronous: boolean
}

/** Checks of the primary against the newest record. They work with missing answers: after a failover the old primary may not answer. */
export function recordChecks({ db, recorders, synchronous }: RecordChecksParams): readonly Check[] {
  const asked = allAnswers(askEach(db, health), askEach(recorders, primaryRecord))
  const options = { about: 'db', ignoreUnreachable: true } as const
  return [
    expect('no later primary is recorded', asked, ([found, copies]) => noLaterPrimary(found, copies), {
      ...options,
      says: ([, copies]) => recordSummary(newestRecord(copies).record),
    }),
    expect(
      'all hosts have the newest record of the primary',
      askEach(recorders, primaryRecord),
      (copies) => allHaveIt(copies),
      { ...options, next: 'Run provision: it writes the record.' },
    ),
    ...(synchronous
      ? [
          expect('commits wait for a replica', asked, ([found, copies]) => commitsWait(found, copies), options),
          expect(
            'all old primaries have rejoined',
            askEach(recorders, primaryRecord),
            (copies) => allRejoined(copies),
            options,
          ),
        ]
      : []),
  ]
}

/** Unknown if less than half of the copies answer, or no primary answers. */
export function noLaterPrimary(found: Found, copies: Copies): Problem | Unknown | undefined {
  const known = newestRecord(copies)
  const states = found.map(({ host, answer }) => ({ host, answer: stateOf(answer) }))
  const record = validRecord(known.record, states)
  const primary = states.find(({ answer }) => answer?.kind === 'cluster' && !answer.standby)
  if (record && primary?.answer?.kind === 'cluster' && isOutdated(record, primary.host.name, primary.answer))
    return outdatedProblem(primary.host.name, primary.answer, record, [])
  const uncertain = uncertainty(known)
  if (uncertain !== undefined) return new Unknown(uncertain)
  if (!primary) return new Unknown('no host that answers is the primary')
  if (record) return undefined
  return new Problem('No host has a record of the primary', {
    next: 'Run provision: it writes one.',
  })
}

/** A host that does not answer may have an older copy. */
export function allHaveIt(copies: Copies): string | Unknown | undefined {
  const { record } = newestRecord(copies)
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
  const servers = found.flatMap(({ host, answer }) =>
    answer && !(answer instanceof Problem) ? [{ host, ...answer }] : [],
  )
  const primary = servers.find(({ standby, synchronous }) => !standby && !synchronous)
  if (primary) return noReplicaProblem(primary.host.name, newestRecord(copies).record)
  if (servers.some(({ standby }) => !standby)) return undefined
  return new Unknown('no host that answers is the primary')
}

/** The state after a failover, or after synchronous replication was disabled. */
export function noReplicaProblem(primary: string, record: PrimaryRecord | undefined): Problem {
  const own = record?.primary === primary ? record : undefined
  const since = own?.noReplicaSince === undefined ? '' : ` since ${formatTime(own.noReplicaSince)}`
  const behind = own?.behind.map(({ host }) => host) ?? []
  return new Problem(`Commits on ${primary} wait for no replica${since}`, {
    details: [`Writes are only on ${primary}, and lost with it.`],
    next:
      behind.length > 0
        ? `Rejoin ${behind.join(', ')}: ${behind.map((host) => `provision rejoin --host ${host}`).join('; ')}`
        : 'Start a replica, then run provision: commits wait again once it follows.',
  })
}

export function allRejoined(copies: Copies): Problem | Unknown | undefined {
  const { record } = newestRecord(copies)
  if (!record) return new Unknown('no host that answers has a record')
  if (record.behind.length === 0) return undefined
  return new Problem(
    record.behind.map(({ host, since }) => `${host} has not rejoined since ${formatTime(since)}`).join('; '),
    {
      details: [`${describeRecord(record)}.`],
      next: record.behind.map(({ host }) => `provision rejoin --host ${host}`).join('; '),
    },
  )
}

function recordSummary(record: PrimaryRecord | undefined): string | undefined {
  return record && `${describeRecord(record)}`
}

function stateOf(answer: Health | Problem | undefined): ClusterState | undefined {
  if (!answer || answer instanceof Problem) return undefined
  const { version, standby, system, timeline } = answer
  return { kind: 'cluster', version, standby, running: true, system, timeline, state: 'in production' }
}
