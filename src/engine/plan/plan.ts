import type { StepOutcome } from '../../model/event.ts'
import type { Host } from '../../model/inventory/host.ts'
import { stepInfo } from '../../model/playbook/expand.ts'
import { Unreachable } from '../../transport/errors.ts'
import { dueHandlers } from '../apply/handlers.ts'
import { fetchTexts } from '../apply/steps.ts'
import type { PlayRun, RunContext } from '../context.ts'
import type { HostRun } from '../hosts/host-run.ts'
import { toProblem } from '../hosts/scripts.ts'
import { Changes } from '../read/changes.ts'
import type { PlayState, StepState } from '../read/refresh.ts'
import { drainHosts } from '../rollout/drain.ts'
import {
  batchingOf,
  failedHosts,
  fatalReason,
  skipReason,
  startedHosts,
  wouldChange,
} from '../rollout/failure-budget.ts'

/** Tells what a play would do, and does nothing. */
export async function planPlay(act: PlayRun, course: RunContext, forecaster: PlannedChanges): Promise<void> {
  const { play, hosts } = act
  const { members, surveys, emit, diff } = course
  emit({ kind: 'play', play: play.label, hosts: hosts.map(({ name }) => name) })
  const failedAmong = (some: readonly Host[]) => failedHosts(some, play, course)
  const pace = batchingOf(act, course)
  const begun = startedHosts({ ...play, ...pace, hosts }, failedAmong)
  course.halted ??= fatalReason(play, failedAmong(begun))
  const left: Host[] = []
  const told = []
  for (const host of hosts) {
    const member = members.get(host.name)
    const found = surveys.get(host.name)?.find((one) => one.play === play)
    if (!member) continue
    if (member.problem) {
      member.skipped++
      continue
    }
    if (!found) continue
    const isHalted = course.halted !== undefined && !begun.includes(host)
    if (isHalted || ((member.leftAlone || !begun.includes(host)) && wouldChange(found, member))) {
      if (!begun.includes(host)) left.push(host)
      member.leftAlone = true
      member.skipped++
      continue
    }
    const forecasts = forecaster.steps(host.name, found)
    const differing = forecasts.filter(({ difference }) => difference)
    const before = diff ? await textsOf(differing, member, play.label, course) : undefined
    if (member.problem) continue
    const about = { play: play.label, host: host.name }
    emit({ kind: 'turn', ...about, steps: forecasts.length })
    const changing = new Set(differing.map(({ placed }) => placed.step))
    const steps = forecasts.map(({ placed }) => placed.step)
    const handlers = dueHandlers(steps, changing, member.owed)
    if (play.drain && differing.length + handlers.length > 0) {
      const { label } = play.drain
      const on = drainHosts(play.drain, host).map(({ name }) => name)
      emit({ kind: 'drain', ...about, label, outcome: 'planned', leftover: false, on })
    }
    for (const one of forecasts) {
      emit({ kind: 'step', ...about, step: stepInfo(one.placed), ...outcomeOf(one, before?.get(one)) })
    }
    for (const { handler, owed } of handlers) {
      emit({ kind: 'handler', ...about, name: handler.name, leftover: owed, outcome: 'planned' })
    }
    const recheck = forecasts.filter(({ difference, sure }) => !difference && !sure).length
    member.ok += forecasts.length - differing.length - recheck
    member.recheck += recheck
    member.changed += differing.length
    member.open += differing.filter(({ sure }) => !sure).length
    emit({ kind: 'turnEnd', ...about, changed: differing.length, failed: false })
    told.push({ host: host.name, forecasts, handlers: handlers.length })
  }
  if (left.length > 0) {
    const why = course.halted ?? skipReason(failedAmong(begun), course)
    emit({ kind: 'skipped', play: play.label, hosts: left.map(({ name }) => name), why })
  }
  for (const { host, forecasts, handlers } of told) forecaster.after(host, forecasts, handlers)
}

/** Sets the member's problem when they cannot be had. */
async function textsOf(
  differing: readonly PlannedStep[],
  member: HostRun,
  play: string,
  { emit, fleet }: RunContext,
): Promise<ReadonlyMap<StepState, readonly string[]> | undefined> {
  try {
    return await fetchTexts(differing, member)
  } catch (error) {
    member.problem = toProblem(error, member.name)
    if (error instanceof Unreachable) fleet.markUnreachable(member.name, error)
    else emit({ kind: 'failed', play, host: member.name, problem: member.problem })
    return undefined
  }
}

function outcomeOf({ difference, sure }: PlannedStep, before: readonly string[] | undefined): StepOutcome {
  if (!difference) return { outcome: sure ? 'ok' : 'deferred' }
  return { outcome: 'planned', known: sure, difference, ...(before !== undefined && { before }) }
}

/** A step as a run will find it, as far as that can be known now. */
export interface PlannedStep extends StepState {
  /**
   * Whether no change that a run makes before it can change the answer. A step after an installation or a restart on the same host is not
   * sure, nor is one whose question may depend on what an earlier step changes, nor one that was made from the answer of a host that
   * changes: a run reads it again, and then decides.
   */
  readonly sure: boolean
}

/** Follows the plays in their order, and keeps what they would change. */
export class PlannedChanges {
  /** By host: what would have changed by now. */
  readonly #changes = new Map<string, Changes>()

  /** The steps of one host in a play. Call {@link after} when all hosts of the play are done. */
  steps(host: string, { examined, asks }: PlayState): readonly PlannedStep[] {
    const steady = asks.every((one) => this.#of(one.host.name).isEmpty)
    const now = new Changes(host)
    return examined.map((one) => {
      const { step } = one.placed
      const where = step.on?.name ?? host
      const sure = steady && !now.mayAffect(step.read) && !this.#of(where).mayAffect(step.read)
      // A run may find that a step which is not sure has something to do.
      if (one.difference || one.problem || !sure) now.add(step)
      return { ...one, sure }
    })
  }

  /** @param handlers how many are due at the end of the host's turn: what they restart may affect anything */
  after(host: string, forecasts: readonly PlannedStep[], handlers: number): void {
    for (const { difference, sure, placed } of forecasts) {
      if (!difference && sure) continue
      const { step } = placed
      for (const where of new Set([host, step.on?.name ?? host])) {
        this.#of(where).add(step)
        if (step.notify.length > 0) this.#of(where).addAnything()
      }
    }
    if (handlers > 0) this.#of(host).addAnything()
  }

  #of(host: string): Changes {
    const known = this.#changes.get(host) ?? new Changes(host)
    this.#changes.set(host, known)
    return known
  }
}
