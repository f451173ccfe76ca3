import { SharedSteps } from '../../model/playbook/shared-steps.ts'
import type { ExpandedStep } from '../../model/playbook/steps.ts'
import { catchFailures } from '../../model/resource/read.ts'
import type { Result } from '../../transport/session/session.ts'
import { batch } from '../hosts/batch.ts'
import type { HostScript } from '../hosts/scripts.ts'
import { assertNoConflicts } from './conflicts.ts'
import { digestOf, type StepState, stepState } from './step-state.ts'

type StepLists = readonly (readonly ExpandedStep[])[]

interface SharedReadsOptions {
  /** True to record the digests of all states. @default false */
  readonly records?: boolean
}

/** The read of the steps of several plays. */
interface SharedRead {
  readonly scripts: readonly HostScript[]
  /** The states of the steps of each play. @throws InvalidParams for an error of a step, and for steps that contradict each other */
  readonly states: (host: string, results: readonly Result[]) => readonly (readonly StepState[])[]
}

/**
 * The values that equal hosts of a run share: steps, the scripts that read them, and the states of steps. Steps, parsers and comparisons
 * are pure, so an answer that is equal to that of the host before has the same state.
 */
export class SharedReads {
  readonly steps = new SharedSteps()
  readonly #records: boolean
  readonly #reads = new WeakMap<readonly ExpandedStep[], { readonly lists: StepLists; readonly read: SharedRead }[]>()
  readonly #unchanged = new WeakMap<ExpandedStep, StepState>()
  readonly #allUnchanged = new WeakMap<readonly ExpandedStep[], readonly StepState[]>()

  constructor({ records = false }: SharedReadsOptions = {}) {
    this.#records = records
  }

  /** The read of these steps, which are lists of {@link SharedSteps}. */
  read(lists: StepLists): SharedRead {
    const [first = []] = lists
    const reads = this.#reads.get(first) ?? []
    this.#reads.set(first, reads)
    const known = reads.find((one) => isSame(one.lists, lists))
    if (known) return known.read
    const read = makeRead(lists)
    reads.push({ lists, read })
    return read
  }

  /** The states to keep until the turns of the hosts: without the state of steps that need no change, so hosts can share them. */
  keep(steps: readonly ExpandedStep[], states: readonly StepState[]): readonly StepState[] {
    if (this.#records) return states.map((one) => ({ ...this.#keepOne(one), seen: digestOf(one) }))
    if (states.some((one) => one.difference || one.problem)) return states.map((one) => this.#keepOne(one))
    const known = this.#allUnchanged.get(steps) ?? states.map((one) => this.#keepOne(one))
    this.#allUnchanged.set(steps, known)
    return known
  }

  #keepOne(state: StepState): StepState {
    const { expanded, difference, problem } = state
    if (difference || problem) return state
    const known = this.#unchanged.get(expanded) ?? { expanded, have: undefined, difference }
    this.#unchanged.set(expanded, known)
    return known
  }
}

function makeRead(lists: StepLists): SharedRead {
  const steps = lists.flat().map((expanded) => ({ expanded, read: catchFailures(expanded.step.read) }))
  const parts = steps.flatMap(({ read }) => read.parts)
  const { scripts, value } = batch({ parts, value: (answers) => answers }, { remembers: true })
  /** Of the host before. */
  const before: { readonly answers: readonly unknown[]; readonly state: StepState }[] = []
  let checked: readonly StepState[] = []
  const states = (host: string, results: readonly Result[]) => {
    const answers = value(results)
    let at = 0
    const all = steps.map(({ expanded, read }, i) => {
      const own = answers.slice(at, at + read.parts.length)
      at += own.length
      const known = before[i]
      if (known && isSame(known.answers, own)) return known.state
      const state = stepState(host, expanded, read.value(own))
      // A problem names its host.
      if (!state.problem) before[i] = { answers: own, state }
      return state
    })
    let from = 0
    const grouped = lists.map(({ length }) => {
      from += length
      return all.slice(from - length, from)
    })
    if (!isSame(checked, all)) for (const own of grouped) assertNoConflicts(host, own)
    checked = all
    return grouped
  }
  return { scripts, states }
}

function isSame(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((one, i) => one === b[i])
}
