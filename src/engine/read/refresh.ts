import type { Host } from '../../model/inventory/host.ts'
import { assertSchemaFits, type Inventory } from '../../model/inventory/inventory.ts'
import type { Entries } from '../../model/inventory/schema.ts'
import { expand, jointThing } from '../../model/playbook/expand.ts'
import type { Play } from '../../model/playbook/play.ts'
import type { Playbook } from '../../model/playbook/playbook.ts'
import type { EndHost, ExpandedStep, Steps } from '../../model/playbook/steps.ts'
import { InvalidParams, Problem, wrapErrors } from '../../model/problem.ts'
import { type Ask, QuestionRegistry } from '../../model/resource/question.ts'
import { catchFailures, mapRead, type Read, readAll } from '../../model/resource/read.ts'
import { describeStep, interrupted } from '../errors/step-errors.ts'
import type { HostRun } from '../hosts/host-run.ts'
import type { Hosts } from '../hosts/hosts.ts'
import { Changes } from './changes.ts'
import type { SharedReads } from './shared-reads.ts'
import { type StepState, stepState } from './step-state.ts'

/** A play with its hosts and their steps, which are not expanded yet. */
export interface PlayRun {
  readonly play: Play
  readonly hosts: readonly Host[]
  readonly steps: ReadonlyMap<string, Steps>
}

export interface PlayRunOptions<S extends Entries = Entries> {
  readonly inventory: Inventory<S>
  readonly playbook: Playbook<S>
  /** Selects the hosts of the run. @default all */
  readonly limit?: (host: Host) => boolean
}

/** @throws Problem for an error of the playbook */
export function playRunsOf<S extends Entries>({
  inventory,
  playbook,
  limit = () => true,
}: PlayRunOptions<S>): readonly PlayRun[] {
  assertSchemaFits(playbook, inventory)
  const plays = wrapErrors('the playbook', undefined, () => playbook.plays(inventory.values))
  return plays.map((play) => {
    const hosts = play.hosts.filter(limit)
    const stepsOf = (host: Host) =>
      wrapErrors(`play "${play.label}" for ${host.name}`, play.source, () => play.steps(host))
    return { play, hosts, steps: new Map(hosts.map((host) => [host.name, stepsOf(host)])) }
  })
}

/** The steps of a play on a host, and what they depend on. */
export interface PlayState {
  readonly play: Play
  readonly steps: readonly StepState[]
  readonly asks: readonly Ask[]
  /** The version of the host when it was read. */
  readonly version: number
  /** The opening of the host's session when it was read. */
  readonly opening: number
  /** The time of the read, in milliseconds since 1970. */
  readonly at: number
}

/** The states of all plays, by the host's name. */
export type PlayStates = ReadonlyMap<string, readonly PlayState[]>

/** Selects the steps that a host runs. */
export interface StepSelection {
  readonly runsOnce: (play: Play, host: string) => Promise<boolean>
  readonly keep: (play: Play, steps: readonly ExpandedStep[]) => readonly ExpandedStep[]
}

interface RefreshTools {
  readonly hosts: Hosts
  readonly selection: StepSelection
  readonly shared: SharedReads
  readonly stop?: AbortSignal
}

/** A host that its steps exclude has an end and no states. */
export interface Refreshed {
  readonly states: readonly PlayState[]
  readonly ended: EndHost | undefined
}

/**
 * Reads the steps of these plays on a host: in one round trip for all plays, and one more for each level of questions that depend on
 * other answers.
 */
export async function refresh(
  hostRun: HostRun,
  plays: readonly (readonly [Play, Steps])[],
  { hosts, selection, shared, stop }: RefreshTools,
): Promise<Refreshed> {
  const { answers } = hosts
  const { facts, host } = hostRun
  const own = plays.map(([play, steps]) => ({ play, steps, questions: new QuestionRegistry() }))
  const runsOnce = new Map<Play, boolean>()
  const expandAll = () =>
    own.map(({ play, steps, questions }) => {
      const once = runsOnce.get(play) ?? 'unknown'
      return expand(steps, { facts, host, answers, questions, runsOnce: once, shared: shared.steps })
    })
  let expansions = expandAll()
  for (let depth = 0; expansions.some(({ incomplete }) => incomplete); depth++) {
    for (const [i, [play]] of plays.entries())
      if (expansions[i]?.awaitsOnce) runsOnce.set(play, await selection.runsOnce(play, hostRun.name))
    const unanswered = expansions.flatMap(({ asks }) => asks.filter((one) => !answers.has(one)))
    if (depth >= DEEPEST) throw endless(hostRun, unanswered)
    if (stop?.aborted) throw interrupted(hostRun)
    await hosts.ask(unanswered)
    expansions = expandAll()
  }
  const ended = expansions.find((one) => one.ended)?.ended
  if (ended) return { states: [], ended }
  assertJointsInOnePlay(expansions.map(({ steps }) => steps))
  const kept = plays.map(([play], i) => selection.keep(play, expansions[i]?.steps ?? []))
  await Promise.all(kept.flat().map(({ step }) => step.prepare?.()))
  const { scripts, states } = shared.read(kept)
  const all = states(hostRun.name, scripts.length === 0 ? [] : await hostRun.session.run(scripts))
  const read = { version: hostRun.version, opening: hostRun.opening, at: Date.now() }
  return {
    states: plays.map(([play], i) => ({
      ...{ play, steps: shared.keep(kept[i] ?? [], all[i] ?? []), asks: expansions[i]?.asks ?? [] },
      ...read,
    })),
    ended: undefined,
  }
}

/** @throws InvalidParams for a thing whose parts are in several plays: each of them would make it without the others */
function assertJointsInOnePlay(plays: readonly (readonly ExpandedStep[])[]): void {
  const seen = new Map<string, number>()
  plays.forEach((steps, at) => {
    for (const one of steps) {
      const thing = jointThing(one)
      if (thing === undefined) continue
      const { source } = one.step
      if ((seen.get(thing) ?? at) !== at)
        throw new InvalidParams(`${describeStep(one)} has parts in two plays`, {
          ...(source && { where: source }),
          next: 'Declare all of its parts in one play. Nothing was changed on any host.',
        })
      seen.set(thing, at)
    }
  })
}

/** Levels of questions. A question that differs at each expansion would have no end. */
const DEEPEST = 25

function endless({ name }: HostRun, asks: readonly Ask[]): Problem {
  const { label = '', source } = asks[0]?.question ?? {}
  return new Problem(`${name}: the question "${label}" is another one each time its steps are made`, {
    ...(source && { where: source }),
    next: 'Give the question the same label and the same script each time, or make it outside of the role.',
  })
}

/** One question for the state of all these steps. */
export function readSteps({ name }: HostRun, steps: readonly ExpandedStep[]): Read<readonly StepState[]> {
  return readAll(
    steps.map((expanded) => mapRead(catchFailures(expanded.step.read), (have) => stepState(name, expanded, have))),
  )
}

/**
 * Returns the first problem that no earlier change on the host can solve.
 *
 * @param states in the order of the plays
 */
export function definiteProblem(host: string, states: readonly Pick<PlayState, 'steps'>[]): Problem | undefined {
  const changes = new Changes(host)
  for (const { expanded, difference, problem } of states.flatMap(({ steps }) => steps)) {
    const { step } = expanded
    const mayChange = changes.mayAffect(step.read)
    if (problem && !mayChange && step.allowedFailure === undefined) return problem
    // After an earlier change the step may need a change, too.
    if (difference || problem || mayChange) changes.add(step)
    // A handler runs before the next play, and may affect anything.
    if ((difference || mayChange) && step.notify.length > 0) changes.addAnything()
  }
  return undefined
}
