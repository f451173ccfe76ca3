import { clearHandler } from '../../model/host-state.ts'
import type { Handler } from '../../model/resource/handler.ts'
import type { Step } from '../../model/resource/step.ts'
import type { HostTurn } from '../context.ts'
import { failedHandler, firstFailure, interrupted } from '../errors/step-errors.ts'
import { hostScript } from '../hosts/scripts.ts'
import { announceReboots } from './progress.ts'

export interface DueHandler {
  readonly handler: Handler
  /** Left over from an earlier run; nothing of this run has notified it. */
  readonly owed: boolean
}

/** The handlers that are due on a host: notified by a change, or left over from a run that did not reach its end. */
export function dueHandlers(
  steps: readonly Step[],
  changed: ReadonlySet<Step>,
  owed: ReadonlySet<string>,
): readonly DueHandler[] {
  const due = new Map<string, DueHandler>()
  for (const step of steps) {
    const touched = changed.has(step)
    for (const handler of touched ? step.notify : [...step.notify, ...step.satisfies]) {
      if (touched || (owed.has(handler.name) && !due.has(handler.name)))
        due.set(handler.name, { handler, owed: !touched })
    }
    if (touched) for (const handler of step.satisfies) due.delete(handler.name)
  }
  return [...due.values()]
}

/** Runs what is due, in one round trip. @throws Problem for the first that fails; it stays owed */
export async function runHandlers(
  steps: readonly Step[],
  changed: ReadonlySet<Step>,
  turn: HostTurn,
): Promise<void> {
  const { member, emit, play } = turn
  const due = dueHandlers(steps, changed, member.owed)
  if (due.length === 0) return
  await turn.begin()
  member.version++
  const owned = due.flatMap((one) =>
    [...one.handler.commands.map(hostScript), { script: clearHandler(one.handler) }].map((script) => ({
      script,
      one,
    })),
  )
  const scripts = owned.map(({ script }) => script)
  announceReboots(scripts, turn)
  const failure = firstFailure(
    scripts,
    await member.session.run(scripts, { stopAtFailure: true, stop: turn.stop }),
  )
  for (const one of due) {
    const { name } = one.handler
    const about = { kind: 'handler', play, host: member.name, name, leftover: one.owed } as const
    if (failure && owned[failure.at]?.one === one) {
      if (failure.result.skipped && turn.stop.aborted) throw interrupted(member)
      const problem = failedHandler(member, name, failure)
      emit({ ...about, outcome: 'failed', problem })
      throw problem
    }
    member.owed.delete(name)
    emit({ ...about, outcome: 'done' })
  }
}
