import type { HostSummary, Mode, RunEvent, Summary } from '../model/event.ts'
import type { Host } from '../model/host.ts'
import type { Inventory } from '../model/inventory.ts'
import type { Play, Playbook } from '../model/play.ts'
import { EndHost, InvalidParams, within } from '../model/problem.ts'
import type { Entries } from '../model/stack.ts'
import { asksOf } from '../model/steps.ts'
import { BecomeFailed } from '../transport/errors.ts'
import { prepareAhead } from './ahead.ts'
import { helpersOf } from './bracket.ts'
import type { Act, Course, Surveys } from './course.ts'
import { Fleet, type OpenSession } from './fleet.ts'
import { Forecaster } from './forecast.ts'
import { closeLeftovers } from './leftovers.ts'
import type { Member } from './member.ts'
import { showPlan } from './plan.ts'
import { type Expected, type PlanRecord, recordOf, refuseMoved } from './plan-record.ts'
import { restAsks } from './rest.ts'
import { leaveOut, runPlay, skipRest } from './rolling.ts'
import { type Selecting, Selection } from './selection.ts'
import { certainProblem, type Survey, survey } from './survey.ts'
import { type Confirm, problemOf } from './turn.ts'
import { refuseUnfit } from './unfit.ts'
import { READ_LIMITS, type ReadLimits } from './watched.ts'

export interface RunOptions<S extends Entries = Entries> {
  readonly inventory: Inventory<S>
  readonly playbook: Playbook<S>
  readonly mode: Mode
  /** Whether texts that change are fetched to be shown. @default false */
  readonly diff?: boolean
  /** When it aborts, steps in hand are finished and no further ones begun. */
  readonly stop?: AbortSignal
  /** Told what was found, before anything is done about it. */
  readonly surveyed?: (found: PlanRecord) => void
  /** What must still be found; the run does not begin otherwise. */
  readonly expect?: Expected
  /** Which hosts take part. @default all */
  readonly limit?: (host: Host) => boolean
  /** Which steps are taken. @default all but those tagged `never` */
  readonly select?: Selecting
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
  refuseUnfit(playbook, inventory)
  const plays = within('the playbook', undefined, () => playbook.plays(inventory.values))
  const acts = plays.map((play) => actOf(play, limit))
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
  const fleet = new Fleet(open, emit, {
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
    options.surveyed?.(recordOf(surveys))
    if (options.expect) refuseMoved(options.expect, surveys, hosts)
    const course: Course = {
      ...{ fleet, members, surveys, emit, diff: options.diff ?? false, stop, selection, halted: undefined },
      ...(options.confirm && { confirm: options.confirm }),
    }
    const helpers = mode === 'apply' ? await meetHelpers(acts, fleet) : []
    const all = [...new Set([...members.values(), ...helpers])]
    if (mode === 'apply') await closeLeftovers(all, course, { last: false })
    if (mode === 'apply') void prepareAhead(acts, course).catch(() => {})
    const forecaster = new Forecaster()
    for (const [i, act] of acts.entries()) {
      if (mode === 'check') await showPlan(act, course, forecaster)
      else await runPlay(act, course)
      if (course.halted === undefined) continue
      skipRest(acts.slice(i + 1), course)
      break
    }
    if (mode === 'apply') await closeLeftovers(all, course, { last: true })
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
  readonly fleet: Fleet
  readonly members: ReadonlyMap<string, Member>
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

export function actOf(play: Play, limit: (host: Host) => boolean): Act {
  const hosts = play.hosts.filter(limit)
  const stepsOf = (host: Host) =>
    within(`play "${play.label}" for ${host.name}`, play.source, () => play.steps(host))
  return { play, hosts, steps: new Map(hosts.map((host) => [host.name, stepsOf(host)])) }
}

/** The first round trip: facts, debts, and all questions that are known without the facts. */
async function meet(
  fleet: Fleet,
  hosts: readonly Host[],
  acts: readonly Act[],
  mode: Mode,
): Promise<ReadonlyMap<string, Member>> {
  const asks = acts.flatMap((act) => [...[...act.steps.values()].flatMap(asksOf), ...restAsks(act)])
  const purpose = mode === 'apply' ? 'change' : 'look'
  const met = await Promise.all(
    hosts.map((host) =>
      fleet.member(host, purpose, unique(asks.filter((one) => one.host.name === host.name))),
    ),
  )
  await fleet.inquire(asks)
  return new Map(met.flatMap((member) => (member ? [[member.name, member]] : [])))
}

function unique<T extends { readonly question: object }>(asks: readonly T[]): readonly T[] {
  return [...new Map(asks.map((one) => [one.question, one])).values()]
}

/** The hosts on which brackets act, for what an earlier run may have left open there; with `--limit` they need not be of the run. */
async function meetHelpers(acts: readonly Act[], fleet: Fleet): Promise<readonly Member[]> {
  const helpers = acts.flatMap(({ play, hosts }) =>
    hosts.flatMap((host) =>
      within(`play "${play.label}" around ${host.name}`, play.source, () =>
        play.drain ? helpersOf(play.drain, host) : [],
      ),
    ),
  )
  const byName = new Map(helpers.map((host) => [host.name, host]))
  const met = await Promise.all([...byName.values()].map((host) => fleet.member(host, 'change')))
  return met.filter((member) => member !== undefined)
}

interface Surveying extends Pick<Course, 'fleet' | 'members' | 'emit' | 'selection' | 'stop'> {
  readonly acts: readonly Act[]
}

/** The second round trip: the state of everything that any play wants. */
async function surveyAll({ fleet, members, acts, emit, selection, stop }: Surveying): Promise<Surveys> {
  // Told when all hosts have answered: the end of a run closes their sessions.
  const refusals = new Map<string, InvalidParams>()
  const found = await Promise.all(
    [...members.values()].map(async (member): Promise<readonly [string, readonly Survey[]]> => {
      const own = acts.flatMap(({ play, steps }) =>
        steps.has(member.name) ? [[play, steps.get(member.name)] as const] : [],
      )
      try {
        const surveys = await survey(member, own, {
          answers: fleet.answers,
          inquire: (asks) => fleet.inquire(asks),
          selection,
          stop,
        })
        const problem = certainProblem(member.name, surveys)
        if (problem) throw problem
        const all = surveys.flatMap(({ examined }) => examined)
        const differing = all.filter(({ difference }) => difference).length
        const admits = all.flatMap(({ placed }) => placed.step.ingress ?? [])
        emit({
          kind: 'surveyed',
          host: member.name,
          steps: all.length,
          differing,
          ...(admits.length > 0 && { admits }),
        })
        return [member.name, surveys]
      } catch (error) {
        if (stop.aborted) return [member.name, []]
        if (error instanceof InvalidParams) {
          refusals.set(member.name, error)
          return [member.name, []]
        }
        if (error instanceof EndHost) {
          leaveOut(member, error, emit)
          return [member.name, []]
        }
        member.problem = problemOf(error, member.name)
        emit({ kind: 'failed', play: own[0]?.[0].label ?? '', host: member.name, problem: member.problem })
        return [member.name, []]
      }
    }),
  )
  for (const name of members.keys()) {
    const refusal = refusals.get(name)
    if (refusal)
      within(name, undefined, () => {
        throw refusal
      })
  }
  return new Map(found)
}

interface AtTheEnd {
  readonly member: Member | undefined
  readonly fleet: Fleet
  /** What is said of it when it was not met, where that is no failure. */
  readonly gone: string | undefined
}

/** What all plays of a host have to say of one that is gone. */
function goneOf(host: Host, acts: readonly Act[]): string | undefined {
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
    open: member?.open ?? 0,
    recheck: member?.recheck ?? 0,
    failed: refused || (member?.problem && !lost) ? 1 : 0,
    unreachable: lost && !refused && (member !== undefined || gone === undefined),
    skipped: member?.skipped ?? 0,
    ...(away !== undefined && { away }),
    trips: member?.session.trips ?? 0,
  }
}
