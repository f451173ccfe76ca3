/** The result of a row. */
export interface Outcome {
  readonly name: string
  readonly event: string
  readonly limit: string
  readonly result: 'held' | 'not held' | 'not there' | 'broke'
  readonly figures: string
  /** Undefined for a row without a control; `true` if the control failed, as it must. */
  readonly controlFailed: boolean | undefined
  readonly control: string
}
