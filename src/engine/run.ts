import type { HostSummary, Mode, RunEvent, Summary } from '../model/event.ts'
import type { Host } from '../model/inventory/host.ts'
import { assertSchemaFits, type Inventory } from '../model/inventory/inventory.ts'
import type { Entries } from '../model/inventory/schema.ts'
import { asksOf } from '../model/playbook/expand.ts'
import type { Playbook } from '../model/playbook/playbook.ts'
import { EndHost, InvalidParams, wrapErrors } from '../model/problem.ts'
import { BecomeFailed } from '../transport/errors.ts'
import { prefetchPackages } from './apply/package-pool.ts'
import { type Confirm, type PlayRun, type PlayStates, playRunOf, type RunContext } from './context.ts'
import type { HostRun } from './hosts/host-run.ts'
import { Hosts, type OpenSession } from './hosts/hosts.ts'
import { READ_LIMITS, type ReadLimits } from './hosts/read-limits.ts'
import { toProblem } from './hosts/scripts.ts'
import { PlannedChanges, planPlay } from './plan/plan.ts'
import { assertUnchanged, type ExpectedPlan, type PlanContent, planFile } from './plan/plan-file.ts'
import { definiteProblem, type PlayState, refresh } from './read/refresh.ts'
import { Selection, type SelectOptions } from './read/selection.ts'
import { closeOpenDrains, drainHosts } from './rollout/drain.ts'
import { idleAsks } from './rollout/failure-budget.ts'
import { endHost, rollOut, skipRemaining } from './rollout/rollout.ts'

export interface RunOptions<S extends Entries = Entries> {
  readonly inventory: Inventory<S>
  readonly playbook: Playbook<S>
  readonly mode: Mode
  /** Whether texts that change are fetched to be shown. @default false */
  readonly diff?: boolean
  /** When it aborts, steps in hand are finished and no further ones begun. */
  readonly stop?: AbortSignal
  /** Told what was found, before anything is done about it. */
  readonly surveyed?: (found: PlanContent) => void
  /** What must still be found; the run does not begin otherwise. */
  readonly expect?: ExpectedPlan
  /** Which hosts take part. @default all */
  readonly limit?: (host: Host) => boolean
  /** Which steps are taken. @default all but those tagged `never` */
  readonly select?: SelectOptions
  /** Asks a person before each step that would change something. @default nobody is asked */
  readonly confirm?: Confirm
  /** Milliseconds to wait for a host that another run holds. @default 0, such a host counts as unreachable at once */
  readonly wait?: number
  /** How long a question to a host may take. @default 1 minute, reported every 20 seconds */
  readonly reads?: ReadLimits
}

export interface RunTools {
  readonly open: OpenSession
  readonly emit: (event: RunEvent) => void
}

/**
 * A whole run. First every host is met and read, all plays at once: two round trips, after which the plan is known. Then, unless only
 * the plan was asked for, the plays run in order; what is no longer as it was read is read again before it is acted on.
 *
 * Problems of hosts are told as events and do not stop other hosts. @throws Problem for what is wrong before any host is touched
 */
export async function run<S extends Entries>(
  options: RunOptions<S>,
  { open, emit }: RunTools,
): Promise<Summary> {
  const began = performance.now()
  const { mode, inventory, playbook, limit = () => true, stop = new AbortController().signal } = options
  assertSchemaFits(playbook, inventory)
  const plays = wrapErrors('the playbook', undefined, () => playbook.plays(inventory.values))
  const acts = plays.map((play) => playRunOf(play, limit))
  const hosts = [...new Map(acts.flatMap((act) => act.hosts.map((host) => [host.name, host]))).values()]
  emit({
    kind: 'begin',
    mode,
    hosts: hosts.map(({ name }) => name),
    plays: acts.map(({ play }) => play.label),
  })
  // Until the plan is known nothing has begun that a stop would have to wait for.
  const reading = new AbortController()
  const giveUp = () => reading.abort()
  stop.addEventListener('abort', giveUp)
  if (stop.aborted) giveUp()
  const fleet = new Hosts(open, emit, {
    reads: options.reads ?? READ_LIMITS,
    stop: reading.signal,
    wait: { ms: options.wait ?? 0, stop },
  })
  try {
    const members = await meet(fleet, hosts, acts, mode)
    if (stop.aborted) return stopped({ hosts, fleet, members, mode, began }, emit)
    const selection = new Selection(options.select ?? {}, acts, (host) => members.has(host))
    const surveys = selection.begin(await surveyAll({ fleet, members, acts, emit, selection, stop }))
    if (stop.aborted) return stopped({ hosts, fleet, members, mode, began }, emit)
    stop.removeEventListener('abort', giveUp)
    options.surveyed?.(planFile(surveys))
    if (options.expect) assertUnchanged(options.expect, surveys, hosts)
    const course: RunContext = {
      ...{ fleet, members, surveys, emit, diff: options.diff ?? false, stop, selection, halted: undefined },
      ...(options.confirm && { confirm: options.confirm }),
    }
    const helpers = mode === 'apply' ? await meetHelpers(acts, fleet) : []
    const all = [...new Set([...members.values(), ...helpers])]
    if (mode === 'apply') await closeOpenDrains(all, course, { last: false })
    if (mode === 'apply') void prefetchPackages(acts, course).catch(() => {})
    const forecaster = new PlannedChanges()
    for (const [i, act] of acts.entries()) {
      if (mode === 'plan') await planPlay(act, course, forecaster)
      else await rollOut(act, course)
      if (course.halted === undefined) continue
      skipRemaining(acts.slice(i + 1), course)
      break
    }
    if (mode === 'apply') await closeOpenDrains(all, course, { last: true })
    const troubled = helpers.filter(({ name, problem }) => problem && !members.has(name))
    const summary: Summary = {
      mode,
      hosts: [...hosts, ...troubled.map(({ host }) => host)].map((host) =>
        summaryOf(host, {
          member: all.find(({ name }) => name === host.name),
          fleet,
          gone: members.size > 0 ? goneOf(host, acts) : undefined,
        }),
      ),
      ms: performance.now() - began,
      interrupted: stop.aborted,
      ...fleet.traffic,
    }
    emit({ kind: 'end', summary })
    return summary
  } finally {
    stop.removeEventListener('abort', giveUp)
    await fleet.close()
  }
}

interface Stopping {
  readonly hosts: readonly Host[]
  readonly fleet: Hosts
  readonly members: ReadonlyMap<string, HostRun>
  readonly mode: Mode
  readonly began: number
}

/** The end of a run that was stopped before its plan was known: nothing was changed, and what had no problem yet is skipped. */
function stopped({ hosts, fleet, members, mode, began }: Stopping, emit: (event: RunEvent) => void): Summary {
  const left = hosts.filter(({ name }) => !fleet.unreachable.has(name) && !members.get(name)?.problem)
  const skipped = new Set(left.map(({ name }) => name))
  if (skipped.size > 0)
    emit({ kind: 'skipped', play: 'the rest', hosts: [...skipped], why: 'the run was stopped' })
  const summary: Summary = {
    mode,
    hosts: hosts.map((host) => ({
      ...summaryOf(host, { member: members.get(host.name), fleet, gone: undefined }),
      skipped: skipped.has(host.name) ? 1 : 0,
    })),
    ms: performance.now() - began,
    interrupted: true,
    ...fleet.traffic,
  }
  emit({ kind: 'end', summary })
  return summary
}

/** The first round trip: facts, debts, and all questions that are known without the facts. */
async function meet(
  fleet: Hosts,
  hosts: readonly Host[],
  acts: readonly PlayRun[],
  mode: Mode,
): Promise<ReadonlyMap<string, HostRun>> {
  const asks = acts.flatMap((act) => [...[...act.steps.values()].flatMap(asksOf), ...idleAsks(act)])
  const purpose = mode === 'apply' ? 'change' : 'look'
  const met = await Promise.all(
    hosts.map((host) =>
      fleet.connect(host, purpose, unique(asks.filter((one) => one.host.name === host.name))),
    ),
  )
  await fleet.ask(asks)
  return new Map(met.flatMap((member) => (member ? [[member.name, member]] : [])))
}

function unique<T extends { readonly question: object }>(asks: readonly T[]): readonly T[] {
  return [...new Map(asks.map((one) => [one.question, one])).values()]
}

/** The hosts on which brackets act, for what an earlier run may have left open there; with `--limit` they need not be of the run. */
async function meetHelpers(acts: readonly PlayRun[], fleet: Hosts): Promise<readonly HostRun[]> {
  const helpers = acts.flatMap(({ play, hosts }) =>
    hosts.flatMap((host) =>
      wrapErrors(`play "${play.label}" around ${host.name}`, play.source, () =>
        play.drain ? drainHosts(play.drain, host) : [],
      ),
    ),
  )
  const byName = new Map(helpers.map((host) => [host.name, host]))
  const met = await Promise.all([...byName.values()].map((host) => fleet.connect(host, 'change')))
  return met.filter((member) => member !== undefined)
}

interface Surveying extends Pick<RunContext, 'fleet' | 'members' | 'emit' | 'selection' | 'stop'> {
  readonly acts: readonly PlayRun[]
}

/** The second round trip: the state of everything that any play wants. */
async function surveyAll({ fleet, members, acts, emit, selection, stop }: Surveying): Promise<PlayStates> {
  // Told when all hosts have answered: the end of a run closes their sessions.
  const refusals = new Map<string, InvalidParams>()
  const found = await Promise.all(
    [...members.values()].map(async (member): Promise<readonly [string, readonly PlayState[]]> => {
      const own = acts.flatMap(({ play, steps }) =>
        steps.has(member.name) ? [[play, steps.get(member.name)] as const] : [],
      )
      try {
        const surveys = await refresh(member, own, {
          answers: fleet.answers,
          inquire: (asks) => fleet.ask(asks),
          selection,
          stop,
        })
        const problem = definiteProblem(member.name, surveys)
        if (problem) throw problem
        const all = surveys.flatMap(({ examined }) => examined)
        const differing = all.filter(({ difference }) => difference).length
        const admits = all.flatMap(({ placed }) => placed.step.ingress ?? [])
        emit({
          kind: 'refreshed',
          host: member.name,
          steps: all.length,
          differing,
          ...(admits.length > 0 && { ingress: admits }),
        })
        return [member.name, surveys]
      } catch (error) {
        if (stop.aborted) return [member.name, []]
        if (error instanceof InvalidParams) {
          refusals.set(member.name, error)
          return [member.name, []]
        }
        if (error instanceof EndHost) {
          endHost(member, error, emit)
          return [member.name, []]
        }
        member.problem = toProblem(error, member.name)
        emit({ kind: 'failed', play: own[0]?.[0].label ?? '', host: member.name, problem: member.problem })
        return [member.name, []]
      }
    }),
  )
  for (const name of members.keys()) {
    const refusal = refusals.get(name)
    if (refusal)
      wrapErrors(name, undefined, () => {
        throw refusal
      })
  }
  return new Map(found)
}

interface AtTheEnd {
  readonly member: HostRun | undefined
  readonly fleet: Hosts
  /** What is said of it when it was not met, where that is no failure. */
  readonly gone: string | undefined
}

/** What all plays of a host have to say of one that is gone. */
function goneOf(host: Host, acts: readonly PlayRun[]): string | undefined {
  const words = acts
    .filter(({ hosts }) => hosts.includes(host))
    .map(({ play }) => play.ignoreUnreachable?.(host))
  return words.includes(undefined) ? undefined : words[0]
}

function summaryOf({ name }: Host, { member, fleet, gone }: AtTheEnd): HostSummary {
  const away = member ? member.away : gone
  const lost = fleet.unreachable.has(name)
  const refused = fleet.unreachable.get(name) instanceof BecomeFailed
  return {
    host: name,
    ok: member?.ok ?? 0,
    changed: member?.changed ?? 0,
    tentative: member?.open ?? 0,
    deferred: member?.recheck ?? 0,
    failed: refused || (member?.problem && !lost) ? 1 : 0,
    unreachable: lost && !refused && (member !== undefined || gone === undefined),
    skipped: member?.skipped ?? 0,
    ...(away !== undefined && { excluded: away }),
    trips: member?.session.trips ?? 0,
  }
}
