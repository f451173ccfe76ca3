import type { Ask } from '../model/ask.ts'
import type { Examined, Survey } from './survey.ts'

/** A step as it will be met, as far as that can be known now. */
export interface Forecast extends Examined {
  /**
   * Whether nothing that a run does before it can change what was read. What comes after an installation or a restart on the
   * same host, or hangs on the answer of a host that changes, is open: a run looks at it again, and then decides.
   */
  readonly sure: boolean
}

/** Follows the plays in their order, and keeps in mind what they would change. */
export class Forecaster {
  /** Hosts on which something far-reaching would have happened by now. */
  readonly #disturbed = new Set<string>()
  /** Hosts on which anything at all would have changed by now. */
  readonly #touched = new Set<string>()

  /** The steps of one host in a play. Call {@link after} when all hosts of the play are told. */
  steps(host: string, { examined, asks }: Survey): readonly Forecast[] {
    let sure = !this.#disturbed.has(host) && this.#isSteady(asks)
    return examined.map((one) => {
      const forecast = { ...one, sure }
      if (one.difference && one.placed.step.reach === 'host') sure = false
      return forecast
    })
  }

  /** @param handlers how many are due at the end of the host's turn: what they restart may reach anything */
  after(host: string, forecasts: readonly Forecast[], handlers: number): void {
    const differing = forecasts.filter(({ difference }) => difference)
    if (differing.length + handlers > 0) this.#touched.add(host)
    if (handlers > 0 || differing.some(({ placed }) => placed.step.reach === 'host'))
      this.#disturbed.add(host)
  }

  #isSteady(asks: readonly Ask[]): boolean {
    return asks.every(({ host }) => !this.#touched.has(host.name))
  }
}
