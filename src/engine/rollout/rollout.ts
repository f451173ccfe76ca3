import type { Host } from '../../model/inventory/host.ts'
import { atLeastOne, batches } from '../../model/playbook/batches.ts'
import type { Play } from '../../model/playbook/play.ts'
import { probeScript } from '../../model/playbook/probe.ts'
import { EndHost } from '../../model/problem.ts'
import { milliseconds } from '../../shell/duration.ts'
import { Unreachable } from '../../transport/errors.ts'
import { applyPlay } from '../apply/host.ts'
import type { HostTurn, PlayRun, RunContext } from '../context.ts'
import { unhealthy } from '../errors/step-errors.ts'
import type { HostRun } from '../hosts/host-run.ts'
import type { Hosts } from '../hosts/hosts.ts'
import { toProblem } from '../hosts/scripts.ts'
import { type PlayState, refresh } from '../read/refresh.ts'
import { HostDrain } from './drain.ts'
import {
  batchingOf,
  failedHosts,
  failureBudget,
  fatalReason,
  skipReason,
  wouldChange,
} from './failure-budget.ts'

/** After this long, what was read of a host is read again before it is acted on. */
const STALE_AFTER = 10_000

/**
 * A play over its hosts: all at once, in batches, or in a window that moves over them. Once more hosts have failed than may, no
 * further ones are begun; a batch that is begun goes to its end.
 */
export async function rollOut(act: PlayRun, course: RunContext): Promise<void> {
  const { play, hosts } = act
  const { emit } = course
  emit({ kind: 'play', play: play.label, hosts: hosts.map(({ name }) => name) })
  const most = failureBudget({ ...play, hosts })
  const begun = new Set<Host>()
  const failed = () => failedHosts(begun, play, course)
  const goesOn = () => failed().length <= most && course.halted === undefined
  const take = async (host: Host) => {
    begun.add(host)
    await takeTurn(host, act, course)
    course.halted ??= fatalReason(play, failed())
  }
  const { serial, maxUnavailable } = batchingOf(act, course)
  for (const batch of maxUnavailable === undefined ? batches(hosts, serial) : [hosts]) {
    if (!goesOn()) break
    if (maxUnavailable === undefined) await Promise.all(batch.map(take))
    else await inFlight(batch, atLeastOne(maxUnavailable, hosts.length), { goesOn, take })
  }
  const rest = hosts.filter((host) => !begun.has(host))
  // They are left alone, but for those on which nothing is to change.
  const taken = await Promise.all(rest.map((host) => takeTurn(host, act, course, { idle: true })))
  const left = rest.filter((_, i) => taken[i] === 'skipped').map(({ name }) => name)
  if (left.length === 0) return
  emit({ kind: 'skipped', play: play.label, hosts: left, why: course.halted ?? skipReason(failed(), course) })
}

/** Told once, however many plays were to follow. */
export function skipRemaining(acts: readonly PlayRun[], { members, emit, halted }: RunContext): void {
  const left = acts.flatMap(({ hosts }) => hosts.flatMap(({ name }) => members.get(name) ?? []))
  const present = left.filter(({ away }) => away === undefined)
  for (const member of present) member.skipped++
  const hosts = [...new Set(present.map(({ name }) => name))]
  if (halted !== undefined && hosts.length > 0)
    emit({ kind: 'skipped', play: 'the rest', hosts, why: halted })
}

/** So many at a time; the next one when one is done. */
async function inFlight(
  hosts: readonly Host[],
  width: number,
  { goesOn, take }: { readonly goesOn: () => boolean; readonly take: (host: Host) => Promise<void> },
): Promise<void> {
  const waiting = [...hosts]
  const lane = async () => {
    for (let host = waiting.shift(); host; host = goesOn() ? waiting.shift() : undefined) await take(host)
  }
  await Promise.all(hosts.slice(0, width).map(lane))
}

/** A host whose own steps say to leave it alone: from now on no play is begun on it. */
export function endHost(member: HostRun, { status, message }: EndHost, emit: RunContext['emit']): void {
  member.away = status
  emit({ kind: 'skipped', play: 'all', hosts: [member.name], why: message })
}

type TurnTaken = 'taken' | 'skipped' | 'away' | 'unreachable'

/** @param idle whether it is had only by a host on which nothing is to change; others are left alone from now on */
async function takeTurn(
  host: Host,
  act: PlayRun,
  course: RunContext,
  { idle = false }: { readonly idle?: boolean } = {},
): Promise<TurnTaken> {
  const member = course.members.get(host.name)
  if (!member) return 'unreachable'
  if (member.away !== undefined) return 'away'
  if (member.problem || course.stop.aborted || course.halted !== undefined) return skipped(member)
  const { play } = act
  const { emit, fleet, diff, stop, confirm } = course
  const before = member.changed
  try {
    const found = await refreshed(member, act, course)
    if ((idle || member.leftAlone) && wouldChange(found, member)) {
      member.leftAlone = true
      return skipped(member)
    }
    await drainedTurn(
      found,
      { play: play.label, member, emit, diff, stop, ...(confirm && { confirm }) },
      course,
    )
  } catch (error) {
    if (error instanceof EndHost) {
      endHost(member, error, emit)
      return 'away'
    }
    member.problem = toProblem(error, host.name)
    if (error instanceof Unreachable) fleet.markUnreachable(host.name, error)
    else emit({ kind: 'failed', play: play.label, host: host.name, problem: member.problem })
  }
  emit({
    kind: 'turnEnd',
    play: play.label,
    host: host.name,
    changed: member.changed - before,
    failed: member.problem !== undefined,
  })
  return 'taken'
}

function skipped(member: HostRun): TurnTaken {
  member.skipped++
  return 'skipped'
}

/** The turn within the play's bracket, where there is one: it is opened before the first change, and closed whatever becomes of the host. */
async function drainedTurn(
  found: PlayState,
  own: Omit<HostTurn, 'begin'>,
  { fleet }: RunContext,
): Promise<void> {
  const { drain } = found.play
  const { member, emit, play } = own
  const { host } = member
  const bracket = drain && new HostDrain({ drain, host, play, fleet, emit })
  try {
    await turn(found, host, { ...own, begin: async () => bracket?.drain() })
  } catch (error) {
    await bracket?.undrain(error instanceof Unreachable ? 'lost' : 'failed')
    throw error
  }
  await bracket?.undrain('well')
}

async function turn(found: PlayState, host: Host, turn: HostTurn): Promise<void> {
  const { member, emit, play: label } = turn
  const { play } = found
  emit({ kind: 'turn', play: label, host: host.name, steps: found.examined.length })
  const began = member.version
  await applyPlay(found, turn)
  if (play.readiness && member.version !== began) await waitUntilReady(play.readiness(host), turn)
}

/** The survey of this host for this play, made anew when something has changed since, or when it is old and there is something to do. */
async function refreshed(
  member: HostRun,
  { play, steps }: PlayRun,
  { surveys, fleet, selection, stop }: RunContext,
): Promise<PlayState> {
  const found = surveys.get(member.name)?.find((one) => one.play === play)
  if (found && !isStale(found, member, fleet)) return found
  for (const { host } of found?.asks ?? []) fleet.answers.forget(host.name)
  const [anew] = await refresh(member, [[play, steps.get(member.name)]], {
    answers: fleet.answers,
    inquire: (asks) => fleet.ask(asks),
    selection,
    stop,
  })
  if (!anew) throw new RangeError(`no survey of ${member.name}`)
  return anew
}

function isStale({ version, asks, at, examined }: PlayState, member: HostRun, fleet: Hosts): boolean {
  if (version !== member.version) return true
  if (asks.some(({ host }) => fleet.versionOf(host.name) > 0)) return true
  return examined.some(({ difference }) => difference) && Date.now() - at > STALE_AFTER
}

async function waitUntilReady(
  probe: ReturnType<NonNullable<Play['readiness']>>,
  { member, emit, play }: HostTurn,
): Promise<void> {
  emit({ kind: 'waiting', play, host: member.name, for: probe.label })
  const script = {
    script: probeScript(probe),
    mode: 'isolated',
    timeout: milliseconds(probe.timeout ?? member.host.timeouts?.probe ?? '30s') + 10_000,
  } as const
  const [result] = await member.session.run([script])
  if (result && result.code !== 0) throw unhealthy(member, probe.label, { script, result })
}
