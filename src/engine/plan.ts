import type { Act, Course } from './course.ts'
import { dueHandlers } from './handlers.ts'
import { textsBefore } from './segment.ts'
import { stepInfo } from './turn.ts'

/** Tells what a play would do, and does nothing. */
export async function showPlan(
  { play, hosts }: Act,
  { members, surveys, emit, diff }: Course,
): Promise<void> {
  emit({ kind: 'play', play: play.label, hosts: hosts.map(({ name }) => name) })
  for (const host of hosts) {
    const member = members.get(host.name)
    const found = surveys.get(host.name)?.find((one) => one.play === play)
    if (!member || !found) continue
    const { examined } = found
    const differing = examined.filter(({ difference }) => difference)
    const before = diff ? await textsBefore(differing, member) : undefined
    const about = { play: play.label, host: host.name }
    emit({ kind: 'turn', ...about, steps: examined.length })
    for (const one of examined) {
      const step = stepInfo(one.placed)
      const text = before?.get(one)
      if (!one.difference) emit({ kind: 'step', ...about, step, outcome: 'ok' })
      else
        emit({
          kind: 'step',
          ...about,
          step,
          outcome: 'planned',
          difference: one.difference,
          ...(text !== undefined && { before: text }),
        })
    }
    const changing = new Set(differing.map(({ placed }) => placed.step))
    for (const { handler, owed } of dueHandlers(
      examined.map(({ placed }) => placed.step),
      changing,
      member.owed,
    )) {
      emit({ kind: 'handler', ...about, name: handler.name, owed, outcome: 'planned' })
    }
    member.ok += examined.length - differing.length
    member.changed += differing.length
    emit({ kind: 'turned', ...about, changed: differing.length, failed: false })
  }
}
