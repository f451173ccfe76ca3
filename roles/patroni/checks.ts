import {
  askEach,
  type Check,
  expect,
  type Group,
  type Host,
  type HostAnswer,
  type Output,
  output,
  Problem,
  Unknown,
} from 'provision-ts'
import { leaderIn, type PatroniState, parseState, STATE } from './lib/state.ts'

type Found = HostAnswer<Output | Problem>
type Reported = PatroniState & { readonly host: Host }

/** Checks of the database hosts of a site with automatic failover. */
export function patroniChecks(db: Pick<Group, 'hosts'>): readonly Check[] {
  const all = askEach(db, output('its state in the cluster of databases', STATE))
  const next = 'See provision-patroni GET /cluster and journalctl -u patroni on the database hosts.'
  return [
    expect('Patroni leads with the primary', all, judged(oneLeader), {
      next,
      says: (found) => `${leaderIn(clusterOf(reported(found)))?.name} leads`,
    }),
    expect('a replica has each acknowledged write, and can take over', all, judged(candidate), {
      next,
      says: (found) => `${candidateIn(reported(found))?.name} can take over`,
    }),
    expect('automatic failover is not paused', all, judged(notPaused), {
      next: 'When the work is done: provision-patroni PATCH /config \'{"pause": null}\'',
    }),
    expect('all database hosts have one version of Patroni', all, judged(oneVersion), {}),
  ]
}

type Wrong = (all: readonly Reported[]) => string | undefined

/** Wrong as soon as the hosts that answer tell something wrong; otherwise unknown until all of them answer. */
export function judged(wrong: Wrong) {
  return (found: readonly Found[]): string | Unknown | undefined => {
    const all = reported(found)
    const silent = found
      .filter(({ host }) => !all.some((one) => one.host.name === host.name))
      .map(({ host }) => host.name)
    if (all.length === 0) return new Unknown(`no answer from ${silent.join(', ')}`)
    return wrong(all) ?? (silent.length === 0 ? undefined : new Unknown(`no answer from ${silent.join(', ')}`))
  }
}

function reported(found: readonly Found[]): readonly Reported[] {
  return found.flatMap(({ host, answer }) =>
    answer && !(answer instanceof Problem) ? [{ host, ...parseState(answer.said) }] : [],
  )
}

function clusterOf(all: readonly Reported[]) {
  return all.find(({ cluster }) => cluster)?.cluster
}

export function oneLeader(all: readonly Reported[]): string | undefined {
  const cluster = clusterOf(all)
  if (!cluster) return 'no host can read the cluster in etcd'
  const leader = leaderIn(cluster)
  if (!leader) return 'no host leads'
  const primaries = all.filter(({ member }) => member?.role === 'primary').map(({ host }) => host.name)
  const others = primaries.filter((name) => name !== leader.name)
  if (others.length > 0) return `${leader.name} leads, and ${others.join(', ')} is a primary`
  return leader.state === 'running' ? undefined : `${leader.name} leads, and is ${leader.state}`
}

function candidateIn(all: readonly Reported[]) {
  return clusterOf(all)?.members.find(({ role }) => role === 'sync_standby' || role === 'quorum_standby')
}

export function candidate(all: readonly Reported[]): string | undefined {
  const one = candidateIn(all)
  if (!one) return 'none has'
  return one.state === 'streaming' ? undefined : `${one.name} is ${one.state}`
}

export function notPaused(all: readonly Reported[]): string | undefined {
  return all.some(({ member, cluster }) => member?.pause || cluster?.pause) ? 'it is' : undefined
}

export function oneVersion(all: readonly Reported[]): string | undefined {
  const versions = new Set(all.flatMap(({ member }) => (member ? [member.version] : [])))
  return versions.size > 1 ? `they have ${[...versions].join(' and ')}` : undefined
}
