import { askEach, type Check, expect, type Group, type HostAnswer, Problem } from 'provision-ts'
import {
  type DatabaseHost,
  type Found,
  judged,
  primariesIn,
  SEE_LOGS,
  type ServerHealth,
  silentHosts,
  unanswered,
} from '../postgres/checks.ts'
import type { ClusterState } from '../postgres/lib/cluster-state.ts'
import { health } from '../postgres/lib/health.ts'
import { findPrimary } from '../postgres/lib/primary.ts'

/** Checks that there is one primary, that replicas can follow it, and that a replica confirms its commits. */
export function postgresPrimaryChecks(db: Group<DatabaseHost>): readonly Check[] {
  const all = askEach(db, health)
  return [
    expect('exactly one host is the primary', all, onePrimary, {
      says: (found) => `${primariesIn(found)[0]?.host.name} is the primary`,
    }),
    expect('a replica confirms commits if they wait for one', all, judged(synchronous), SEE_LOGS),
    expect(
      'no replication slot has lost its WAL',
      all,
      judged(({ host, lost }) => lost.map((slot) => `${slot} on ${host.name} has lost it`)),
      { next: 'Run provision: it creates the slot again. If the replica cannot continue, it needs a new copy.' },
    ),
  ]
}

/** A host that does not answer may be a second primary, unless the primary sees it as a replica. */
export function onePrimary(found: readonly Found[]): Problem | undefined {
  const [primary, another] = primariesIn(found)
  const silent = unanswered(found)
  // The problem of two primaries, or none, is the same as in a run.
  if (primary && another) return primaryProblem(found)
  if (!primary) return silent ?? primaryProblem(found)
  const seen = primary.replicas.map(({ name }) => name)
  return silentHosts(found).every((name) => seen.includes(name)) ? undefined : silent
}

function primaryProblem(found: readonly Found[]): Problem | undefined {
  const primary = findPrimary(found.map(placed))
  return primary instanceof Problem ? primary : undefined
}

function placed({ host, answer }: Found): HostAnswer<ClusterState, DatabaseHost> {
  if (!answer || answer instanceof Problem) return { host, answer: undefined }
  const { version, standby, system, timeline } = answer
  const state = standby ? 'in archive recovery' : 'in production'
  return {
    host,
    answer: { kind: 'cluster', version, standby, running: true, system, timeline, state },
  }
}

export function synchronous({ host, standby, synchronous: wanted, replicas }: ServerHealth): readonly string[] {
  if (standby || !wanted || replicas.some(({ sync }) => sync === 'sync' || sync === 'quorum')) return []
  return [`no replica confirms those on ${host.name}`]
}
