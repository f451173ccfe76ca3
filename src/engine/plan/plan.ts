import type { StepOutcome } from '../../model/event.ts'
import type { Host } from '../../model/inventory/host.ts'
import { stepInfo } from '../../model/playbook/expand.ts'
import type { Play } from '../../model/playbook/play.ts'
import { Unreachable } from '../../transport/errors.ts'
import { dueHandlers } from '../apply/handlers.ts'
import { fetchTexts } from '../apply/steps.ts'
import type { RunContext } from '../context.ts'
import type { HostRun } from '../hosts/host-run.ts'
import { toProblem } from '../hosts/scripts.ts'
import { Changes } from '../read/changes.ts'
import type { PlayRun, PlayState } from '../read/refresh.ts'
import type { StepState } from '../read/step-state.ts'
import { drainHosts } from '../rollout/drain.ts'
import {
  eachPlay,
  failedHosts,
  fatalReason,
  paceOf,
  skipReason,
  startedHosts,
  wouldChange,
} from '../rollout/failure-budget.ts'
import { passGate } from '../rollout/gate.ts'

/** Emits what all plays would do, without a change. */
export async function planPlays(playRuns: readonly PlayRun[], context: RunContext): Promise<void> {
  const changes = new PlannedChanges()
  await eachPlay(playRuns, context, (playRun) =>
    playRun.play.conditions ? passGate(playRun, context) : planPlay(playRun, context, changes),
  )
}

async function planPlay(playRun: PlayRun, context: RunContext, changes: PlannedChanges): Promise<void> {
  const { play, hosts } = playRun
  const { hostRuns, states, emit } = context
  emit({ kind: 'play', play: play.label, hosts: hosts.map(({ name }) => name) })
  const failedAmong = (some: readonly Host[]) => failedHosts(some, play, context)
  const pace = paceOf(playRun, context)
  const started = startedHosts({ ...play, ...pace, hosts }, failedAmong)
  context.halted ??= fatalReason(play, failedAmong(started))
  const skipped: string[] = []
  const planned: { readonly host: string; readonly steps: readonly PlannedStep[]; readonly handlers: number }[] = []
  for (const host of hosts) {
    const hostRun = hostRuns.get(host.name)
    const state = states.get(host.name)?.find((one) => one.play === play)
    if (!hostRun || hostRun.problem || !state) continue
    const isStarted = started.includes(host)
    const isHalted = context.halted !== undefined && !isStarted
    if (isHalted || ((hostRun.isSkipped || !isStarted) && wouldChange(state, hostRun))) {
      if (!isStarted) skipped.push(host.name)
      hostRun.skip()
      continue
    }
    const steps = changes.plan(host.name, state)
    const handlers = await planTurn(steps, hostRun, { ...play, ...pace }, context)
    planned.push({ host: host.name, steps, handlers })
  }
  if (skipped.length > 0) {
    const why = context.halted ?? skipReason(failedAmong(started), context)
    emit({ kind: 'skipped', play: play.label, hosts: skipped, why })
  }
  for (const { host, steps, handlers } of planned) changes.add(host, steps, handlers)
}

/** Returns the number of handlers that would run. */
async function planTurn(
  steps: readonly PlannedStep[],
  hostRun: HostRun,
  play: Play,
  { emit, diff, hosts }: RunContext,
): Promise<number> {
  const { host, name, pendingHandlers } = hostRun
  const about = { play: play.label, host: name }
  const differing = steps.filter(({ difference }) => difference)
  const texts = diff
    ? await fetchTexts(differing, hostRun).catch((error: unknown) => toProblem(error, name))
    : undefined
  if (texts instanceof Error) {
    hostRun.fail(texts)
    if (texts instanceof Unreachable) hosts.markUnreachable(name, texts)
    else emit({ kind: 'failed', ...about, problem: texts })
    emit({ kind: 'turnEnd', ...about, changed: 0, failed: true })
    return 0
  }
  emit({ kind: 'turn', ...about, steps: steps.length })
  const changing = new Set(differing.map(({ expanded }) => expanded.step))
  const all = steps.map(({ expanded }) => expanded.step)
  const handlers = dueHandlers(all, changing, pendingHandlers)
  if (play.drain && differing.length + handlers.length > 0) {
    const on = drainHosts(play.drain, host).map((one) => one.name)
    emit({ kind: 'drain', ...about, label: play.drain.label, outcome: 'planned', pending: false, on })
  }
  for (const step of steps)
    emit({ kind: 'step', ...about, step: stepInfo(step.expanded), ...outcomeOf(step, texts?.get(step)) })
  for (const { handler, pending } of handlers)
    emit({ kind: 'handler', ...about, name: handler.name, pending, outcome: 'planned' })
  emit({ kind: 'turnEnd', ...about, changed: differing.length, failed: false })
  return handlers.length
}

function outcomeOf({ difference, known }: PlannedStep, before: readonly string[] | undefined): StepOutcome {
  if (!difference) return { outcome: known ? 'ok' : 'deferred' }
  return { outcome: 'planned', known, difference, ...(before !== undefined && { before }) }
}

interface PlannedStep extends StepState {
  /**
   * False if an earlier change of the run may change the state of the step: then the run reads it again and decides. Such changes are an
   * installation or a restart on the host, a change of what the step depends on, and a change of a host whose answer made the step.
   */
  readonly known: boolean
}

/** The changes that the plays would make, in their order. */
class PlannedChanges {
  readonly #byHost = new Map<string, Changes>()

  /** The steps of a host in a play. After all hosts of the play, call {@link add}. */
  plan(host: string, { steps, asks }: PlayState): readonly PlannedStep[] {
    const answersHold = asks.every((one) => this.#of(one.host.name).isEmpty)
    const own = new Changes(host)
    return steps.map((state) => {
      const { step } = state.expanded
      const earlier = this.#of(step.on?.name ?? host)
      const known = answersHold && !own.mayAffect(step.read) && !earlier.mayAffect(step.read)
      // A step that is not known may change something.
      if (state.difference || state.problem || !known) own.add(step)
      return { ...state, known }
    })
  }

  /** @param handlers the number of handlers of the turn, which may affect anything */
  add(host: string, steps: readonly PlannedStep[], handlers: number): void {
    for (const { difference, known, expanded } of steps) {
      if (!difference && known) continue
      const { step } = expanded
      for (const where of new Set([host, step.on?.name ?? host])) {
        this.#of(where).add(step)
        if (step.notify.length > 0) this.#of(where).addAnything()
      }
    }
    if (handlers > 0) this.#of(host).addAnything()
  }

  #of(host: string): Changes {
    const known = this.#byHost.get(host) ?? new Changes(host)
    this.#byHost.set(host, known)
    return known
  }
}
