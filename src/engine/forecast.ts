import { Changes } from './changes.ts'
import type { Examined, Survey } from './survey.ts'

/** A step as a run will find it, as far as that can be known now. */
export interface Forecast extends Examined {
  /**
   * Whether no change that a run makes before it can change the answer. A step after an installation or a restart on the same host is not
   * sure, nor is one whose question may depend on what an earlier step changes, nor one that was made from the answer of a host that
   * changes: a run reads it again, and then decides.
   */
  readonly sure: boolean
}

/** Follows the plays in their order, and keeps what they would change. */
export class Forecaster {
  /** By host: what would have changed by now. */
  readonly #changes = new Map<string, Changes>()

  /** The steps of one host in a play. Call {@link after} when all hosts of the play are done. */
  steps(host: string, { examined, asks }: Survey): readonly Forecast[] {
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
  after(host: string, forecasts: readonly Forecast[], handlers: number): void {
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
