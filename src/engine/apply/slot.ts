import type { ExpandedStep } from '../../model/playbook/steps.ts'
import type { HostTurn } from '../context.ts'
import { interrupted } from '../errors/step-errors.ts'
import type { StepState } from '../read/step-state.ts'

type SlotTurn = Pick<HostTurn, 'throttles' | 'play' | 'emit' | 'stop'> & {
  readonly hostRun: Pick<HostTurn['hostRun'], 'name'>
}

/** The place of a host among those that apply a step with a limit. */
export class Slot {
  readonly #turn: SlotTurn
  #held: { readonly step: ExpandedStep; readonly leave: () => void } | undefined

  constructor(turn: SlotTurn) {
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
    const isHeld = this.#held?.step === expanded
    if (isHeld && difference) return false
    this.leave()
    if (!throttle || !difference) return false
    let hasWaited = false
    const onWait = (hosts: readonly string[]) => {
      hasWaited = true
      const limit = `at most ${throttle.limit} at once`
      emit({ kind: 'waiting', play, host: hostRun.name, for: `${hosts.join(', ')} (${throttle.lock}: ${limit})` })
    }
    const leave = await throttles.enter(throttle, hostRun.name, { stop, onWait })
    if (!leave) throw interrupted(hostRun)
    this.#held = { step: expanded, leave }
    return hasWaited
  }

  leave(): void {
    this.#held?.leave()
    this.#held = undefined
  }
}
