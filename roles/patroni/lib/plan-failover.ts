import { type Host, type HostAnswer, Problem } from 'provision-ts'
import { leaderIn, type PatroniState } from './state.ts'

/** Plans a manual failover on a site with automatic failover. */
type FailoverPlan<H extends Host> =
  | { readonly kind: 'nothing' }
  /** Patroni promotes a replica; this host is asked for it. */
  | { readonly kind: 'wait'; readonly at: H }
  | { readonly kind: 'promote'; readonly to: H; readonly loss: string }

export interface FailoverOptions {
  readonly to?: string | undefined
  readonly acceptDataLoss: boolean
  /** True if a member of etcd on a database host has a majority. Without one, Patroni still shows the last state that it has read. */
  readonly majority: boolean
}

/** @returns a Problem with the reasons against it */
export function failoverUnderPatroni<H extends Host>(
  all: readonly HostAnswer<PatroniState, H>[],
  { to: wanted, acceptDataLoss, majority }: FailoverOptions,
): FailoverPlan<H> | Problem {
  const target = all.find(({ host }) => host.name === wanted)
  if (wanted !== undefined && !target)
    return new Problem(`--to: there is no database host ${wanted}`, {
      next: `There are ${all.map(({ host }) => host.name).join(', ')}.`,
    })
  const details = all.map((one) => `${one.host.name} ${stateOf(one)}`)
  const cluster = all.map(({ answer }) => answer?.cluster).find((one) => one !== undefined)
  const asked = all.find(({ answer }) => answer?.cluster)?.host
  const unread = () =>
    new Problem('No database host can read the state of the cluster in etcd', {
      details,
      next: 'Nothing was changed. Bring back a majority of the members of etcd: the witness is one. Without it no replica can be promoted safely.',
    })
  if (!cluster || !asked) return unread()
  const leader = leaderIn(cluster)
  const alive = all.find(({ answer }) => answer?.member?.role === 'primary' && answer.member.state === 'running')
  if (alive && alive.host.name === leader?.name) {
    if (alive.host.name === wanted) return { kind: 'nothing' }
    return new Problem('A failover is not possible now, and nothing was changed', {
      details: [`${alive.host.name} is the primary and answers.`, ...details],
      next: `To move it without a loss: provision switchover${wanted === undefined ? '' : ` --to ${wanted}`}.`,
    })
  }
  if (!majority) return unread()
  const candidate = cluster.members.find(({ role }) => role === 'sync_standby' || role === 'quorum_standby')
  if (!acceptDataLoss && !cluster.pause && (candidate || leader)) return { kind: 'wait', at: asked }
  if (!acceptDataLoss)
    return new Problem('A failover is not possible now, and nothing was changed', {
      details: [
        cluster.pause
          ? 'Automatic failover is paused.'
          : 'No replica is known to have every acknowledged write, so Patroni promotes none.',
        ...details,
      ],
      next: 'Repair the old primary if possible: it has all writes. Otherwise run the same command with --accept-data-loss and --to.',
    })
  const to = target ?? all.find(({ answer }) => answer?.member?.role === 'replica')
  if (!to)
    return new Problem('A failover is not possible now, and nothing was changed', {
      details: ['No replica answers.', ...details],
      next: 'Bring one back, then run the same command again.',
    })
  const loss = 'all that was acknowledged after the last write that this host has'
  return {
    kind: 'promote',
    to: to.host,
    loss: candidate?.name === to.host.name ? 'nothing that was acknowledged' : loss,
  }
}

/**
 * The target of a switchover: the replica that has each acknowledged write, which is the only one that Patroni accepts. Undefined if there is
 * none, or if no host can read etcd.
 *
 * @throws Problem if another replica is wanted
 */
export function switchoverTarget(
  all: readonly HostAnswer<PatroniState>[],
  wanted: string | undefined,
): string | undefined {
  const members = all.map(({ answer }) => answer?.cluster).find((one) => one !== undefined)?.members ?? []
  const candidates = members.filter(({ role }) => role === 'sync_standby' || role === 'quorum_standby')
  const [first] = candidates
  if (wanted === undefined || !first) return wanted ?? first?.name
  const isReplica = members.some(({ name, role }) => name === wanted && role !== 'leader')
  if (isReplica && !candidates.some(({ name }) => name === wanted))
    throw new Problem(`${wanted} may lack acknowledged writes, and Patroni does not promote it`, {
      next: `Nothing was changed. ${first.name} has all of them: provision switchover --to ${first.name}.`,
    })
  return wanted
}

export function stateOf({ answer }: HostAnswer<PatroniState>): string {
  if (!answer) return 'could not be reached'
  if (!answer.member) return 'has a Patroni that does not answer'
  const { role, state, pause } = answer.member
  return `is ${role === 'primary' ? 'the primary' : `a ${role}`}, ${state}${pause ? ', paused' : ''}`
}
