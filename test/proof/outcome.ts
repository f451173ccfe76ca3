/** The result of a row. */
export interface Outcome {
  readonly name: string
  readonly event: string
  readonly limit: string
  readonly result: 'held' | 'not held' | 'not there' | 'broke'
  /** Of several repetitions, the medians of times and the sums of counts. */
  readonly figures: string
  /** The figures of each repetition. */
  readonly times: readonly string[]
  /** An action that an operator takes. */
  readonly operator: string | undefined
  /** Undefined for a row without a control; `true` if the control failed, as it must. */
  readonly controlFailed: boolean | undefined
  readonly control: string
}
