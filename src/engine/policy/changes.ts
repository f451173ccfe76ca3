import type { ExpandedStep } from '../../model/playbook/steps.ts'
import type { Change } from '../../model/policy/policy.ts'
import type { Diff } from '../../model/resource/diff.ts'
import type { Handler } from '../../model/resource/handler.ts'
import { type DueHandler, dueHandlers } from '../apply/due-handlers.ts'
import type { RunContext } from '../context.ts'
import { describeStep } from '../errors/step-errors.ts'
import { PlannedChanges } from '../plan/planned-changes.ts'
import type { PlayRun } from '../read/refresh.ts'
import type { FoundChange, TurnSteps } from './turn.ts'

/** The changes of a host in a play, its handlers last. */
export function changesOfTurn({ host, play, steps, pendingHandlers }: TurnSteps): readonly FoundChange[] {
  const differing = steps.flatMap(({ expanded, difference, known = true }) =>
    difference ? [{ expanded, difference, known }] : [],
  )
  const all = steps.map(({ expanded }) => expanded)
  const due = dueHandlers(
    all.map(({ step }) => step),
    new Set(differing.map(({ expanded }) => expanded.step)),
    pendingHandlers,
  )
  const turn = { host, play: play.label }
  return [
    ...differing.map(({ expanded, difference, known }) => ({
      change: stepChange(expanded, difference, { ...turn, known }),
      ...{ expanded, difference, title: describeStep(expanded) },
    })),
    ...due.flatMap((one) => {
      const notifying = steps.find(({ expanded }) => expanded.step === one.step)
      return notifying ? [handlerFound(one, notifying, turn)] : []
    }),
  ]
}

/** The changes that all plays would make, by host and play, if no host fails. Nothing is changed or reported. */
export function changesOfPlays(
  playRuns: readonly PlayRun[],
  { hostRuns, states }: Pick<RunContext, 'hostRuns' | 'states'>,
): readonly TurnSteps[] {
  const planned = new PlannedChanges()
  return playRuns.flatMap(({ play, hosts }) => {
    const turns = hosts.flatMap((host) => {
      const hostRun = hostRuns.get(host.name)
      const state = states.get(host.name)?.find((one) => one.play === play)
      if (!hostRun || hostRun.problem || !state) return []
      const steps = planned.plan(host.name, state, hostRun.pendingHandlers)
      return [{ host, play, steps, pendingHandlers: hostRun.pendingHandlers }]
    })
    for (const { host, steps, pendingHandlers } of turns) {
      const all = steps.map(({ expanded }) => expanded.step)
      const changing = new Set(steps.filter(({ difference }) => difference).map(({ expanded }) => expanded.step))
      planned.add(host.name, steps, dueHandlers(all, changing, pendingHandlers).length)
    }
    return turns
  })
}

type Turn = Pick<Change, 'host' | 'play' | 'known'>

function stepChange({ step, roles, tags }: ExpandedStep, difference: Diff, turn: Turn): Change {
  const { kind, name, on = turn.host, source } = step
  const { action, fields, parts = [] } = difference
  const restarts = [
    ...(kind === 'service' && (action === 'restart' || action === 'stop') ? [name.replace(/ on \S+$/, '')] : []),
    ...step.satisfies.flatMap(unitOf),
  ]
  return { ...turn, on, kind, name, roles, tags, source, action, fields, parts, restarts }
}

function handlerFound(
  { handler, step }: DueHandler,
  { expanded, known = true, difference }: TurnSteps['steps'][number],
  turn: Pick<Turn, 'host' | 'play'>,
): FoundChange {
  const { roles, tags } = expanded
  const { on = turn.host, source } = step
  const change: Change = {
    ...{ ...turn, on, kind: 'handler', name: handler.name, roles, tags, source, fields: [], parts: [] },
    action: handler.effect?.action ?? 'run',
    restarts: unitOf(handler),
    // A handler that is pending runs in any case.
    known: difference === undefined || known,
  }
  const cause = difference === undefined ? 'pending since an earlier run' : `notified by ${describeStep(expanded)}`
  return { change, expanded, difference: undefined, title: `handler ${handler.name}, ${cause}` }
}

function unitOf({ effect }: Handler): readonly string[] {
  return effect?.action === 'restart' && effect.unit !== undefined ? [effect.unit.replace(/\.service$/, '')] : []
}
