import type { Host } from '../../model/inventory/host.ts'
import { atLeastOne, batches } from '../../model/playbook/batches.ts'
import type { Drain } from '../../model/playbook/drain.ts'
import type { Play } from '../../model/playbook/play.ts'
import { probeScript } from '../../model/playbook/probe.ts'
import type { EndHost, ExpandedStep, Steps } from '../../model/playbook/steps.ts'
import { Problem, wrapErrors } from '../../model/problem.ts'
import { milliseconds } from '../../shell/duration.ts'
import { Unreachable } from '../../transport/errors.ts'
import { HostLocked } from '../../transport/session/lock.ts'
import { applyPlay } from '../apply/host.ts'
import { prefetchPackages } from '../apply/package-pool.ts'
import type { HostTurn, RunContext } from '../context.ts'
import { notReady } from '../errors/step-errors.ts'
import type { HostRun } from '../hosts/host-run.ts'
import type { Hosts } from '../hosts/hosts.ts'
import { toProblem } from '../hosts/scripts.ts'
import { type PlayRun, type PlayState, type Refreshed, refresh } from '../read/refresh.ts'
import { SharedReads } from '../read/shared-reads.ts'
import type { StepState } from '../read/step-state.ts'
import { closeOpenDrains, drainHosts, HostDrain } from './drain.ts'
import {
  currentPaceOf,
  eachPlay,
  failedHosts,
  failureBudget,
  fatalReason,
  skipReason,
  wouldChange,
} from './failure-budget.ts'
import { passGate } from './gate.ts'

/** Milliseconds after which a state is read again before it is changed. */
const STALE_AFTER = 10_000

/**
 * Applies all plays in order. Drains that an earlier run has left are undone first.
 *
 * @returns the hosts that run commands of drains
 */
export async function applyPlays(playRuns: readonly PlayRun[], context: RunContext): Promise<readonly HostRun[]> {
  const helpers = await connectDrainHosts(playRuns, context.hosts)
  const all = [...new Set([...context.hostRuns.values(), ...helpers])]
  await closeOpenDrains(all, context, { last: false })
  void prefetchPackages(playRuns, context).catch(() => {})
  await eachPlay(playRuns, context, (playRun) =>
    playRun.play.conditions ? passGate(playRun, context) : rollOut(playRun, context),
  )
  await closeOpenDrains(all, context, { last: true })
  return helpers
}

/** With `--limit`, they need not be hosts of the run. */
async function connectDrainHosts(playRuns: readonly PlayRun[], hosts: Hosts): Promise<readonly HostRun[]> {
  const helpers = playRuns.flatMap(({ play, hosts: own }) =>
    own.flatMap((host) =>
      wrapErrors(`play "${play.label}" around ${host.name}`, play.source, () =>
        play.drain ? drainHosts(play.drain, host) : [],
      ),
    ),
  )
  const byName = new Map(helpers.map((host) => [host.name, host]))
  const hostRuns = await Promise.all([...byName.values()].map((host) => hosts.connect(host)))
  return hostRuns.filter((hostRun) => hostRun !== undefined)
}

/**
 * Applies a play to its hosts: all at once, in batches, or a number at a time. When the failures exceed the budget of the play, no further
 * hosts start; a batch that has started is finished.
 */
async function rollOut(playRun: PlayRun, context: RunContext): Promise<void> {
  const { play, hosts } = playRun
  const { emit } = context
  emit({ kind: 'play', play: play.label, hosts: hosts.map(({ name }) => name) })
  const { serial, maxUnavailable, drain } = await currentPaceOf(playRun, context)
  const budget = failureBudget({ ...play, hosts })
  const started = new Set<Host>()
  const failed = () => failedHosts(started, play, context)
  let failures = 0
  const goesOn = () => failures <= budget && context.halted === undefined
  const start = async (host: Host) => {
    started.add(host)
    await takeTurn(host, playRun, context, { drain })
    if (failedHosts([host], play, context).length === 0) return
    failures++
    if (play.anyErrorsFatal) context.halted ??= fatalReason(play, failed())
  }
  if (maxUnavailable !== undefined)
    await rollingStart(hosts, atLeastOne(maxUnavailable, hosts.length), { goesOn, start })
  else
    for (const batch of batches(hosts, serial)) {
      if (!goesOn()) break
      await Promise.all(batch.map(start))
    }
  // The other hosts are skipped, except for those that need no change.
  const rest = hosts.filter((host) => !started.has(host))
  const turns = await Promise.all(rest.map((host) => takeTurn(host, playRun, context, { onlyRead: true })))
  const skipped = rest.filter((_, i) => turns[i] === 'skipped').map(({ name }) => name)
  if (skipped.length === 0) return
  const why = context.halted ?? skipReason(failed(), context)
  emit({ kind: 'skipped', play: play.label, hosts: skipped, why })
}

interface RollingStart {
  readonly goesOn: () => boolean
  readonly start: (host: Host) => Promise<void>
}

/** Starts the next host when one is done. */
async function rollingStart(hosts: readonly Host[], width: number, { goesOn, start }: RollingStart): Promise<void> {
  const waiting = [...hosts]
  const lane = async () => {
    for (let host = waiting.shift(); host; host = goesOn() ? waiting.shift() : undefined) await start(host)
  }
  await Promise.all(hosts.slice(0, width).map(lane))
}

interface TurnOptions {
  /** True to skip a host that needs a change, for the rest of the run. @default false */
  readonly onlyRead?: boolean
  readonly drain?: Drain | undefined
}

type TurnResult = 'done' | 'skipped' | 'absent'

function takeTurn(host: Host, playRun: PlayRun, context: RunContext, options: TurnOptions): Promise<TurnResult> {
  return context.hosts.task(host, () => turnOf(host, playRun, context, options))
}

async function turnOf(
  host: Host,
  playRun: PlayRun,
  context: RunContext,
  { onlyRead = false, drain }: TurnOptions,
): Promise<TurnResult> {
  const { emit, hosts, stop, halted } = context
  const hostRun = context.hostRuns.get(host.name)
  if (!hostRun || hostRun.excluded !== undefined) return 'absent'
  if (hostRun.problem || stop.aborted || halted !== undefined) return 'skipped'
  const { play } = playRun
  let changed = 0
  try {
    const { states, ended } = await currentState(hostRun, playRun, context)
    if (ended) {
      excludeHost(hostRun, ended, emit)
      return 'absent'
    }
    const [state] = states
    if (!state) throw new RangeError(`${host.name} has no state for the play "${play.label}"`)
    if ((onlyRead || hostRun.isSkipped) && wouldChange(state, hostRun)) {
      hostRun.skip()
      return 'skipped'
    }
    await applyDrained({ ...state, drain }, hostRun, {
      ...context,
      emit: (event) => {
        if (event.kind === 'step' && event.outcome === 'changed') changed++
        emit(event)
      },
    })
  } catch (error) {
    const problem = toProblem(error, host.name)
    hostRun.fail(problem)
    if (problem instanceof Unreachable || problem instanceof HostLocked) hosts.markUnreachable(host.name, problem)
    else emit({ kind: 'failed', play: play.label, host: host.name, problem })
  }
  const failed = hostRun.problem !== undefined
  emit({ kind: 'turnEnd', play: play.label, host: host.name, changed, failed })
  return 'done'
}

/** Applies a play to a host. The host is drained before the first change, and undrained at the end, also after a failure. */
async function applyDrained(
  { play, steps, drain: wanted }: Pick<PlayState, 'play' | 'steps'> & { readonly drain: Drain | undefined },
  hostRun: HostRun,
  context: RunContext,
): Promise<void> {
  const { hosts, emit, diff, stop, confirm, guard, throttles } = context
  const { host, name } = hostRun
  const drain = wanted && new HostDrain({ drain: wanted, host, play: play.label, hosts, emit })
  const review = guard.turn({ host, play, pendingHandlers: hostRun.pendingHandlers })
  const turn: HostTurn = {
    ...{ play: play.label, hostRun, drain, review, emit, diff, stop, throttles },
    ...(confirm && { confirm }),
    readMore: (more) => readMore(more, hostRun, play, context),
  }
  try {
    emit({ kind: 'turn', play: play.label, host: name, steps: steps.length })
    const before = hostRun.version
    await applyPlay(steps, turn)
    if (play.readiness && hostRun.version !== before) await waitUntilReady(play.readiness(host), turn)
  } catch (error) {
    await drain?.end(error instanceof Unreachable ? 'lost' : 'failed')
    throw error
  }
  await drain?.end('succeeded')
}

/** Reads steps that are made during the turn. They belong to a step that was selected, so all of them are. */
async function readMore(
  steps: Steps,
  hostRun: HostRun,
  play: Play,
  { hosts, selection, stop }: RunContext,
): Promise<readonly StepState[]> {
  const all = { runsOnce: selection.runsOnce.bind(selection), keep: (_play: Play, own: readonly ExpandedStep[]) => own }
  const shared = new SharedReads()
  const { states, ended } = await refresh(hostRun, [[play, steps]], { hosts, selection: all, shared, stop })
  if (ended)
    throw new Problem(`${hostRun.name}: the steps from an output exclude the host, which has changed already`, {
      next: 'Call endHost in steps that depend on answers of hosts: after(…).',
    })
  return states.flatMap((one) => one.steps)
}

async function waitUntilReady(
  probe: ReturnType<NonNullable<Play['readiness']>>,
  { hostRun, emit, play }: HostTurn,
): Promise<void> {
  emit({ kind: 'waiting', play, host: hostRun.name, for: probe.label })
  const limit = milliseconds(probe.timeout ?? hostRun.host.timeouts?.probe ?? '30s')
  const script = { script: probeScript(probe), mode: 'isolated', timeout: limit + 10_000 } as const
  const [result] = await hostRun.session.run([script])
  if (result && result.code !== 0) throw notReady(hostRun, probe.label, { script, result })
}

/** The state of a host for a play. It is read again after a change, and if it is old and has something to change. */
async function currentState(hostRun: HostRun, { play, steps }: PlayRun, context: RunContext): Promise<Refreshed> {
  const { states, hosts } = context
  const state = states.get(hostRun.name)?.find((one) => one.play === play)
  const isCurrent = state && !isStale(state, hostRun, hosts)
  // The lock was released, too: another run may have changed the host since.
  const mayHaveChanged = hosts.isReleased(hostRun) && (!isCurrent || wouldChange(state, hostRun))
  if (mayHaveChanged) await hosts.reopen(hostRun)
  if (isCurrent && !mayHaveChanged) return { states: [state], ended: undefined }
  for (const { host } of state?.asks ?? []) hosts.answers.forget(host.name)
  return refresh(hostRun, [[play, steps.get(hostRun.name)]], context)
}

function isStale({ version, opening, asks, at, steps }: PlayState, hostRun: HostRun, hosts: Hosts): boolean {
  if (version !== hostRun.version || opening !== hostRun.opening) return true
  if (asks.some(({ host }) => hosts.versionOf(host.name) > 0)) return true
  return steps.some(({ difference }) => difference) && Date.now() - at > STALE_AFTER
}

/** Excludes a host from the run, as its steps say. */
export function excludeHost(hostRun: HostRun, { status, reason }: EndHost, emit: RunContext['emit']): void {
  hostRun.exclude(status)
  emit({ kind: 'skipped', play: 'all', hosts: [hostRun.name], why: reason })
}
