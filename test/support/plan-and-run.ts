import type { RunEvent, StepOutcome } from '../../src/model/event.ts'

/** A step in a plan or a run. */
export interface StepResult {
  /** Its play, kind and name, which identify a step in a site. */
  readonly name: string
  readonly outcome: StepOutcome['outcome']
  /** True if the plan says that the step certainly changes. */
  readonly known: boolean
}

export function stepResults(events: readonly RunEvent[]): readonly StepResult[] {
  return events.flatMap((event) =>
    event.kind === 'step'
      ? [
          {
            name: `${event.play}: ${event.step.kind} ${event.step.name}`,
            outcome: event.outcome,
            known: event.outcome === 'planned' && event.known,
          },
        ]
      : [],
  )
}

/** Counts the steps that the plans decided, and those that they deferred. */
export class Tally {
  known = 0
  ruledOut = 0
  open = 0
  /** The number of deferred steps with an outcome that the plan did not predict. */
  surprises = 0

  /**
   * Compares a plan with the run after it. A step that is known to change changes, a step that is ok does not change, and a deferred
   * step may do either.
   *
   * @returns the steps of the run for which the plan was wrong
   */
  compare(planned: readonly StepResult[], ran: readonly StepResult[]): readonly string[] {
    const changed = new Set(ran.filter(({ outcome }) => outcome === 'changed').map(({ name }) => name))
    const reached = new Set(ran.map(({ name }) => name))
    return planned.flatMap(({ name, outcome, known }) => {
      if (!reached.has(name)) return [`${name}: in the plan, not in the run`]
      const does = changed.has(name)
      if (outcome === 'planned' && known) {
        this.known++
        return does ? [] : [`${name}: sure to change, but stayed`]
      }
      if (outcome === 'ok') {
        this.ruledOut++
        return does ? [`${name}: ok in the plan, but changed`] : []
      }
      this.open++
      if (does !== (outcome === 'planned')) this.surprises++
      return []
    })
  }
}
