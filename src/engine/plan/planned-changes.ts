import type { Step } from '../../model/resource/step.ts'
import { dueHandlers } from '../apply/due-handlers.ts'
import { Changes } from '../read/changes.ts'
import type { PlayState } from '../read/refresh.ts'
import type { StepState } from '../read/step-state.ts'

export interface PlannedStep extends StepState {
  /**
   * False if an earlier change of the run may change the state of the step: then the run reads it again and decides. Such changes are an
   * installation or a restart on the host, a change of what the step depends on, and a change of a host whose answer made the step.
   */
  readonly known: boolean
}

/** The changes that the plays would make, in their order. */
export class PlannedChanges {
  readonly #byHost = new Map<string, Changes>()
  readonly #shared = new WeakMap<StepState, PlannedStep>()

  /** The steps of a host in a play. After all hosts of the play, call {@link add}. */
  plan(host: string, { steps, asks }: PlayState, pendingHandlers: ReadonlySet<string>): readonly PlannedStep[] {
    const answersHold = asks.every((one) => this.#of(one.host.name).isEmpty)
    const own = new Changes(host)
    /** The steps since the last place where handlers run, and those of all steps that may change something. */
    let since: Step[] = []
    const changing = new Set<Step>()
    return steps.map((state) => {
      const { step } = state.expanded
      if (step.flushesHandlers) {
        if (dueHandlers(since, changing, pendingHandlers).length > 0) own.addAnything()
        since = []
        return { ...state, known: true }
      }
      since.push(step)
      const earlier = this.#of(step.on?.name ?? host)
      const known = answersHold && !own.mayAffect(step.read) && !earlier.mayAffect(step.read)
      // A step that is not known may change something.
      if (state.difference || state.problem || !known) own.add(step)
      if (state.difference || !known) changing.add(step)
      return known && !state.difference ? this.#unchanged(state) : { ...state, known }
    })
  }

  /** The same object for the same state, which many hosts share. */
  #unchanged(state: StepState): PlannedStep {
    const planned = this.#shared.get(state) ?? { ...state, known: true }
    this.#shared.set(state, planned)
    return planned
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
