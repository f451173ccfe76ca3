import type { StepOutcome } from '../model/event.ts'
import type { Host } from '../model/host.ts'
import { Unreachable } from '../transport/errors.ts'
import { helpersOf } from './bracket.ts'
import type { Act, Course } from './course.ts'
import type { Forecast, Forecaster } from './forecast.ts'
import { dueHandlers } from './handlers.ts'
import type { Member } from './member.ts'
import { textsBefore } from './segment.ts'
import type { Examined } from './survey.ts'
import { begunOf, failedOf, haltOf, paceOf, reasonOf, wouldChange } from './tolerance.ts'
import { problemOf, stepInfo } from './turn.ts'

/** Tells what a play would do, and does nothing. */
export async function showPlan(act: Act, course: Course, forecaster: Forecaster): Promise<void> {
  const { play, hosts } = act
  const { members, surveys, emit, diff } = course
  emit({ kind: 'play', play: play.label, hosts: hosts.map(({ name }) => name) })
  const failedAmong = (some: readonly Host[]) => failedOf(some, play, course)
  const pace = paceOf(act, course)
  const begun = begunOf({ ...play, ...pace, hosts }, failedAmong)
  course.halted ??= haltOf(play, failedAmong(begun))
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
      const on = helpersOf(play.drain, host).map(({ name }) => name)
      emit({ kind: 'bracket', ...about, label, outcome: 'planned', owed: false, on })
    }
    for (const one of forecasts) {
      emit({ kind: 'step', ...about, step: stepInfo(one.placed), ...outcomeOf(one, before?.get(one)) })
    }
    for (const { handler, owed } of handlers) {
      emit({ kind: 'handler', ...about, name: handler.name, owed, outcome: 'planned' })
    }
    const recheck = forecasts.filter(({ difference, sure }) => !difference && !sure).length
    member.ok += forecasts.length - differing.length - recheck
    member.recheck += recheck
    member.changed += differing.length
    member.open += differing.filter(({ sure }) => !sure).length
    emit({ kind: 'turned', ...about, changed: differing.length, failed: false })
    told.push({ host: host.name, forecasts, handlers: handlers.length })
  }
  if (left.length > 0) {
    const why = course.halted ?? reasonOf(failedAmong(begun), course)
    emit({ kind: 'skipped', play: play.label, hosts: left.map(({ name }) => name), why })
  }
  for (const { host, forecasts, handlers } of told) forecaster.after(host, forecasts, handlers)
}

/** Sets the member's problem when they cannot be had. */
async function textsOf(
  differing: readonly Forecast[],
  member: Member,
  play: string,
  { emit, fleet }: Course,
): Promise<ReadonlyMap<Examined, readonly string[]> | undefined> {
  try {
    return await textsBefore(differing, member)
  } catch (error) {
    member.problem = problemOf(error, member.name)
    if (error instanceof Unreachable) fleet.lost(member.name, error)
    else emit({ kind: 'failed', play, host: member.name, problem: member.problem })
    return undefined
  }
}

function outcomeOf({ difference, sure }: Forecast, before: readonly string[] | undefined): StepOutcome {
  if (!difference) return { outcome: sure ? 'ok' : 'open' }
  return { outcome: 'planned', sure, difference, ...(before !== undefined && { before }) }
}
