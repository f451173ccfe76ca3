import type { Mode, RunEvent, Summary } from '../model/event.ts'
import type { Entries } from '../model/inventory/schema.ts'
import { asksOf } from '../model/playbook/expand.ts'
import { InvalidParams, locate } from '../model/problem.ts'
import { Throttles } from './apply/throttles.ts'
import type { Confirm, RunContext } from './context.ts'
import type { HostRun } from './hosts/host-run.ts'
import { Hosts } from './hosts/hosts.ts'
import { type OpenSession, toProblem } from './hosts/scripts.ts'
import type { ReadLimits } from './hosts/session-wrappers.ts'
import { planPlays } from './plan/plan.ts'
import {
  assertSameInventory,
  assertUnchanged,
  type ExpectedPlan,
  hashOfInventory,
  type PlanContent,
  planContent,
} from './plan/plan-file.ts'
import { Guard } from './policy/guard.ts'
import {
  definiteProblem,
  type PlayRun,
  type PlayRunOptions,
  type PlayState,
  type PlayStates,
  playRunsOf,
  refresh,
} from './read/refresh.ts'
import { Selection, type SelectOptions } from './read/selection.ts'
import { idleAsks } from './rollout/failure-budget.ts'
import { applyPlays, excludeHost } from './rollout/rollout.ts'
import { hostsOf, RunCounts, type SummaryParts, summaryOf } from './summary.ts'

export interface RunOptions<S extends Entries = Entries> extends PlayRunOptions<S> {
  readonly mode: Mode
  /** True to read texts that change, for diffs. @default false */
  readonly diff?: boolean
  /** Stops the run: steps in progress are finished, and nothing else starts. */
  readonly stop?: AbortSignal
  /** Called with the plan, before anything changes. */
  readonly onPlan?: (plan: PlanContent) => void
  /** The run only starts if the hosts still match this plan. */
  readonly expect?: ExpectedPlan
  /** Selects the steps. @default all without the tag `never` */
  readonly select?: SelectOptions
  /** Asked before each step that would change something. @default no confirmation */
  readonly confirm?: Confirm
  /** Milliseconds to wait for a host that another run has locked. @default 0: such a host is unreachable at once */
  readonly wait?: number
  /** The time for policies. @default the clock of this machine */
  readonly now?: () => Date
  /** The limits of questions. @default 1 minute, reported every 20 seconds */
  readonly reads?: ReadLimits
}

const READ_LIMITS: ReadLimits = { limit: 60_000, notice: 20_000 }

interface RunTools {
  readonly open: OpenSession
  readonly emit: (event: RunEvent) => void
}

/**
 * Runs a playbook. First all hosts are connected and read, for all plays at once: two round trips, after which the plan is known. In the
 * mode `apply` the plays are then applied in order.
 *
 * Problems of hosts are emitted as events and do not stop other hosts.
 *
 * @throws Problem for an error that is found before any host changes
 */
export async function run<S extends Entries>(options: RunOptions<S>, tools: RunTools): Promise<Summary> {
  const began = performance.now()
  const { mode, stop = new AbortController().signal } = options
  if (options.expect) assertSameInventory(options.expect, options.inventory)
  const playRuns = playRunsOf(options)
  const counts = new RunCounts()
  const emit = (event: RunEvent) => {
    counts.add(event)
    tools.emit(event)
  }
  emit({
    kind: 'begin',
    mode,
    hosts: hostsOf(playRuns).map(({ name }) => name),
    plays: playRuns.map(({ play }) => play.label),
  })
  // Until the plan is known, nothing has started that a stop would have to wait for.
  const reading = new AbortController()
  const giveUp = () => reading.abort()
  stop.addEventListener('abort', giveUp)
  if (stop.aborted) giveUp()
  const hosts = new Hosts(tools.open, emit, {
    mode,
    reads: options.reads ?? READ_LIMITS,
    stop: reading.signal,
    wait: { ms: options.wait ?? 0, stop },
  })
  const end = (parts: Pick<SummaryParts, 'hostRuns' | 'helpers' | 'isIncomplete' | 'refused'>) => {
    const ms = performance.now() - began
    const summary = summaryOf({ mode, playRuns, hosts, counts, ms, interrupted: stop.aborted, ...parts })
    const skipped = summary.hosts.filter((one) => one.skipped > 0).map(({ host }) => host)
    if (parts.isIncomplete && skipped.length > 0)
      emit({ kind: 'skipped', play: 'the rest', hosts: skipped, why: 'the run was stopped' })
    emit({ kind: 'end', summary })
    return summary
  }
  try {
    const hostRuns = await connectAll(playRuns, hosts)
    if (stop.aborted) return end({ hostRuns, helpers: [], isIncomplete: true })
    const selection = new Selection(options.select ?? {}, playRuns, (host) => hostRuns.has(host))
    const read = await refreshAll(playRuns, { hosts, hostRuns, emit, selection, stop })
    if (stop.aborted) return end({ hostRuns, helpers: [], isIncomplete: true })
    const states = selection.start(read)
    stop.removeEventListener('abort', giveUp)
    options.onPlan?.({ inventoryHash: hashOfInventory(options.inventory), ...planContent(states) })
    if (options.expect) assertUnchanged(options.expect, states, hostsOf(playRuns))
    const guard = new Guard({ inventory: options.inventory, mode, emit, ...(options.now && { now: options.now }) })
    const context: RunContext = {
      ...{ hosts, hostRuns, states, emit, diff: options.diff ?? false, stop, selection, guard, halted: undefined },
      throttles: new Throttles(),
      ...(options.confirm && { confirm: options.confirm }),
    }
    const refusals = guard.reviewPlan(playRuns, context)
    const refused = refusals.length > 0
    if (mode === 'plan') await planPlays(playRuns, context)
    for (const refusal of refusals) emit({ kind: 'policy', outcome: 'refused', ...refusal })
    const helpers = mode === 'plan' || refused ? [] : await applyPlays(playRuns, context)
    return end({ hostRuns, helpers, refused })
  } finally {
    stop.removeEventListener('abort', giveUp)
    await hosts.close()
  }
}

/** The first round trip: facts, the state that earlier runs have left, and all questions that do not depend on facts. */
async function connectAll(playRuns: readonly PlayRun[], hosts: Hosts): Promise<ReadonlyMap<string, HostRun>> {
  const asks = playRuns.flatMap((playRun) => [
    ...[...playRun.steps.values()].flatMap(asksOf),
    ...(playRun.play.conditions ?? []).flatMap((one) => one.asks),
    ...idleAsks(playRun),
  ])
  const connected = await Promise.all(
    hostsOf(playRuns).map((host) => {
      const own = asks.filter((one) => one.host.name === host.name)
      return hosts.connect(host, [...new Map(own.map((one) => [one.question, one])).values()])
    }),
  )
  await hosts.ask(asks)
  return new Map(connected.flatMap((hostRun) => (hostRun ? [[hostRun.name, hostRun]] : [])))
}

/** The second round trip: the states of all steps. */
async function refreshAll(
  playRuns: readonly PlayRun[],
  tools: Pick<RunContext, 'hosts' | 'hostRuns' | 'emit' | 'selection' | 'stop'>,
): Promise<PlayStates> {
  const { hostRuns, emit, stop } = tools
  // Thrown after all hosts have answered, because the end of a run closes their sessions.
  const rejections = new Map<string, InvalidParams>()
  const refreshOne = async (hostRun: HostRun): Promise<readonly PlayState[]> => {
    const { name } = hostRun
    const own = playRuns.flatMap(({ play, steps }) => (steps.has(name) ? [[play, steps.get(name)] as const] : []))
    try {
      const { states, ended } = await refresh(hostRun, own, tools)
      if (ended) excludeHost(hostRun, ended, emit)
      if (ended) return []
      const problem = definiteProblem(name, states)
      if (problem) throw problem
      const steps = states.flatMap((one) => one.steps)
      const differing = steps.filter(({ difference }) => difference).length
      const ingress = steps.flatMap(({ expanded }) => expanded.step.ingress ?? [])
      emit({
        ...{ kind: 'refreshed', host: name, steps: steps.length, differing },
        ...(ingress.length > 0 && { ingress }),
      })
      return states
    } catch (error) {
      if (stop.aborted) return []
      if (error instanceof InvalidParams) rejections.set(name, error)
      else {
        const problem = toProblem(error, name)
        hostRun.fail(problem)
        emit({ kind: 'failed', play: own[0]?.[0].label ?? '', host: name, problem })
      }
      return []
    }
  }
  const states = await Promise.all(
    [...hostRuns.values()].map(async (hostRun) => [hostRun.name, await refreshOne(hostRun)] as const),
  )
  for (const name of hostRuns.keys()) {
    const rejection = rejections.get(name)
    if (rejection) throw locate(name, rejection)
  }
  return new Map(states)
}
