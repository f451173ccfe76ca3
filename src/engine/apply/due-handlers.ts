import type { Handler } from '../../model/resource/handler.ts'
import type { Step } from '../../model/resource/step.ts'
import type { StepState } from '../read/step-state.ts'

export interface DueHandler {
  readonly handler: Handler
  /** The first step that notifies it. */
  readonly step: Step
  /** True if only an earlier run has notified it. */
  readonly pending: boolean
}

/** The handlers that run at the end of a turn: those that a change has notified, and those that an earlier run has left pending. */
export function dueHandlers(
  steps: readonly Step[],
  changed: ReadonlySet<Step>,
  pending: ReadonlySet<string>,
): readonly DueHandler[] {
  const due = new Map<string, DueHandler>()
  for (const step of steps) {
    const isChanged = changed.has(step)
    for (const handler of isChanged ? step.notify : [...step.notify, ...step.satisfies]) {
      const before = due.get(handler.name)
      if (isChanged || (pending.has(handler.name) && !before)) {
        const isFirst = before?.pending !== !isChanged
        due.set(handler.name, { handler, step: isFirst ? step : before.step, pending: !isChanged })
      }
    }
    if (isChanged) for (const handler of step.satisfies) due.delete(handler.name)
  }
  return [...due.values()]
}

/** Steps of a turn, and the handlers that run after them. */
export interface HandlerGroup<S> {
  readonly steps: readonly S[]
  readonly due: readonly DueHandler[]
}

/** Splits the steps of a turn at the places where handlers run. */
export function handlerGroups<S extends Pick<StepState, 'expanded' | 'difference'>>(
  steps: readonly S[],
  pendingHandlers: ReadonlySet<string>,
): readonly HandlerGroup<S>[] {
  const lists: S[][] = [[]]
  for (const one of steps) {
    if (one.expanded.step.flushesHandlers) lists.push([])
    else lists.at(-1)?.push(one)
  }
  const pending = new Set(pendingHandlers)
  return lists.map((own) => {
    const changed = new Set(own.flatMap(({ difference, expanded }) => (difference ? [expanded.step] : [])))
    const all = own.map(({ expanded }) => expanded.step)
    const due = dueHandlers(all, changed, pending)
    for (const { handler } of due) pending.delete(handler.name)
    return { steps: own, due }
  })
}
