import type { Mode, RunEvent, Summary } from '../model/event.ts'
import type { Entries } from '../model/inventory/schema.ts'
import { asksOf } from '../model/playbook/expand.ts'
import { InvalidParams, locate } from '../model/problem.ts'
import type { Ask } from '../model/resource/question.ts'
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
import { SharedReads } from './read/shared-reads.ts'
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
  /** The maximum number of hosts in progress. With more hosts, sessions are closed after each turn. @default 100 */
  readonly forks?: number | undefined
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
  const asks = firstAsks(playRuns)
  const hosts = new Hosts(tools.open, emit, {
    mode,
    reads: options.reads ?? READ_LIMITS,
    stop: reading.signal,
    wait: { ms: options.wait ?? 0, stop },
    own: asks.own,
    forks: options.forks,
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
    const selection = new Selection(
      options.select ?? {},
      playRuns,
      async (host) => (await hosts.connect(host)) !== undefined,
    )
    const shared = new SharedReads({ records: options.onPlan !== undefined || options.expect !== undefined })
    const readTools = { hosts, emit, selection, shared, stop, asks: asks.others }
    const { hostRuns, read } = await readAllHosts(playRuns, readTools)
    if (stop.aborted) return end({ hostRuns, helpers: [], isIncomplete: true })
    const states = selection.start(read)
    stop.removeEventListener('abort', giveUp)
    options.onPlan?.({ inventoryHash: hashOfInventory(options.inventory), ...planContent(states) })
    if (options.expect) assertUnchanged(options.expect, states, hostsOf(playRuns))
    const guard = new Guard({ inventory: options.inventory, mode, emit, ...(options.now && { now: options.now }) })
    const context: RunContext = {
      ...{ hosts, hostRuns, states, emit, diff: options.diff ?? false, stop, selection, shared, guard },
      ...{ throttles: new Throttles(), halted: undefined },
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

interface FirstAsks {
  /** The hosts of the run, each with the questions that are asked together with its facts. */
  readonly own: ReadonlyMap<string, readonly Ask[]>
  /** Questions to other hosts. */
  readonly others: readonly Ask[]
}

/** The questions that do not depend on facts. */
function firstAsks(playRuns: readonly PlayRun[]): FirstAsks {
  const byHost = new Map(hostsOf(playRuns).map(({ name }) => [name, new Map<Ask['question'], Ask>()]))
  const asks = playRuns.flatMap((playRun) => [
    ...[...playRun.steps.values()].flatMap(asksOf),
    ...(playRun.play.conditions ?? []).flatMap((one) => one.asks),
    ...idleAsks(playRun),
  ])
  for (const one of asks) byHost.get(one.host.name)?.set(one.question, one)
  return {
    own: new Map([...byHost].map(([name, own]) => [name, [...own.values()]])),
    others: asks.filter(({ host }) => !byHost.has(host.name)),
  }
}

interface ReadTools extends Pick<RunContext, 'hosts' | 'emit' | 'selection' | 'shared' | 'stop'> {
  /** Questions to hosts that are not part of the run. */
  readonly asks: readonly Ask[]
}

/**
 * Connects to all hosts and reads them, for all plays at once. The first round trip: facts, the state that earlier runs have left, and the
 * questions that do not depend on facts. The second one: the states of all steps.
 */
async function readAllHosts(
  playRuns: readonly PlayRun[],
  tools: ReadTools,
): Promise<{ readonly hostRuns: ReadonlyMap<string, HostRun>; readonly read: PlayStates }> {
  const { hosts, emit, stop } = tools
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
  const reading = hostsOf(playRuns).map((host) =>
    hosts.task(host, async () => {
      const hostRun = await hosts.connect(host)
      return hostRun ? [{ hostRun, states: await refreshOne(hostRun) }] : []
    }),
  )
  const [read] = await Promise.all([Promise.all(reading), hosts.ask(tools.asks)])
  const all = read.flat()
  for (const { hostRun } of all) {
    const rejection = rejections.get(hostRun.name)
    if (rejection) throw locate(hostRun.name, rejection)
  }
  return {
    hostRuns: new Map(all.map(({ hostRun }) => [hostRun.name, hostRun])),
    read: new Map(all.map(({ hostRun, states }) => [hostRun.name, states])),
  }
}
