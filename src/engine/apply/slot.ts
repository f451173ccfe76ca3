import type { HostTurn } from '../context.ts'
import { interrupted } from '../errors/step-errors.ts'
import type { StepState } from '../read/step-state.ts'

/** The place of a host among those that apply a step with a limit. */
export class Slot {
  readonly #turn: HostTurn
  #leave: (() => void) | undefined

  constructor(turn: HostTurn) {
    this.#turn = turn
  }

  /**
   * Waits if the step would change something and has a limit.
   *
   * @returns true if the host has waited, so that the step must be read again
   * @throws Problem if the run was stopped before
   */
  async enter({ expanded, difference }: StepState): Promise<boolean> {
    const { throttles, hostRun, play, emit, stop } = this.#turn
    const { throttle } = expanded.step
    if (!throttle || !difference) {
      this.leave()
      return false
    }
    if (this.#leave) return false
    let hasWaited = false
    const onWait = (hosts: readonly string[]) => {
      hasWaited = true
      const limit = `at most ${throttle.limit} at once`
      emit({ kind: 'waiting', play, host: hostRun.name, for: `${hosts.join(', ')} (${throttle.lock}: ${limit})` })
    }
    this.#leave = await throttles.enter(throttle, hostRun.name, { stop, onWait })
    if (!this.#leave) throw interrupted(hostRun)
    return hasWaited
  }

  leave(): void {
    this.#leave?.()
    this.#leave = undefined
  }
}
