import type { StepOutcome } from '../model/event.ts'
import type { Act, Course } from './course.ts'
import type { Forecast, Forecaster } from './forecast.ts'
import { dueHandlers } from './handlers.ts'
import { textsBefore } from './segment.ts'
import { stepInfo } from './turn.ts'

/** Tells what a play would do, and does nothing. */
export async function showPlan({ play, hosts }: Act, course: Course, forecaster: Forecaster): Promise<void> {
  const { members, surveys, emit, diff } = course
  emit({ kind: 'play', play: play.label, hosts: hosts.map(({ name }) => name) })
  const told = []
  for (const host of hosts) {
    const member = members.get(host.name)
    const found = surveys.get(host.name)?.find((one) => one.play === play)
    if (!member || !found) continue
    const forecasts = forecaster.steps(host.name, found)
    const differing = forecasts.filter(({ difference }) => difference)
    const before = diff ? await textsBefore(differing, member) : undefined
    const about = { play: play.label, host: host.name }
    emit({ kind: 'turn', ...about, steps: forecasts.length })
    for (const one of forecasts) {
      emit({ kind: 'step', ...about, step: stepInfo(one.placed), ...outcomeOf(one, before?.get(one)) })
    }
    const changing = new Set(differing.map(({ placed }) => placed.step))
    const handlers = dueHandlers(
      forecasts.map(({ placed }) => placed.step),
      changing,
      member.owed,
    )
    for (const { handler, owed } of handlers) {
      emit({ kind: 'handler', ...about, name: handler.name, owed, outcome: 'planned' })
    }
    member.ok += forecasts.length - differing.length
    member.changed += differing.length
    member.open += differing.filter(({ sure }) => !sure).length
    emit({ kind: 'turned', ...about, changed: differing.length, failed: false })
    told.push({ host: host.name, forecasts, handlers: handlers.length })
  }
  for (const { host, forecasts, handlers } of told) forecaster.after(host, forecasts, handlers)
}

function outcomeOf({ difference, sure }: Forecast, before: readonly string[] | undefined): StepOutcome {
  if (!difference) return { outcome: sure ? 'ok' : 'open' }
  return { outcome: 'planned', sure, difference, ...(before !== undefined && { before }) }
}
