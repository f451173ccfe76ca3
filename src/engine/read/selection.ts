import type { Host } from '../../model/inventory/host.ts'
import type { Play } from '../../model/playbook/play.ts'
import type { ExpandedStep } from '../../model/playbook/steps.ts'
import { Problem } from '../../model/problem.ts'
import { didYouMean } from '../../shell/nearest.ts'
import type { PlayRun, PlayStates, StepSelection } from './refresh.ts'

export interface SelectOptions {
  /** Only steps with one of these tags, and those with `always`. @default all steps without the tag `never` */
  readonly tags?: readonly string[]
  readonly skipTags?: readonly string[]
  /** The first step: its kind and name, or its name. */
  readonly startAt?: string
}

/** Selects the steps of a run by tags, by the first step, and by `runOnce`. */
export class Selection implements StepSelection {
  readonly #options: SelectOptions
  readonly #playRuns: readonly PlayRun[]
  readonly #isReachable: (host: Host) => Promise<boolean>
  readonly #onceHosts = new Map<Play, Promise<string | undefined>>()
  readonly #kept = new Map<Play, WeakMap<readonly ExpandedStep[], readonly ExpandedStep[]>>()
  readonly #knownTags = new Set<string>()
  #firstPlay: number | undefined

  /** @param isReachable connects to a host. @default all hosts are reachable */
  constructor(
    options: SelectOptions,
    playRuns: readonly PlayRun[],
    isReachable: (host: Host) => Promise<boolean> = async () => true,
  ) {
    this.#options = options
    this.#playRuns = playRuns
    this.#isReachable = isReachable
  }

  /** True for the first reachable host of a play, which runs the steps of `runOnce`. */
  async runsOnce(play: Play, host: string): Promise<boolean> {
    const known = this.#onceHosts.get(play) ?? this.#firstReachable(play)
    this.#onceHosts.set(play, known)
    return (await known) === host
  }

  async #firstReachable(play: Play): Promise<string | undefined> {
    for (const host of this.#playRuns.find((one) => one.play === play)?.hosts ?? [])
      if (await this.#isReachable(host)) return host.name
    return undefined
  }

  /** Returns the same list for the same list, so that equal hosts share it. */
  keep(play: Play, steps: readonly ExpandedStep[]): readonly ExpandedStep[] {
    const kept = this.#kept.get(play) ?? new WeakMap<readonly ExpandedStep[], readonly ExpandedStep[]>()
    this.#kept.set(play, kept)
    const selected = kept.get(steps) ?? steps.filter(({ tags }) => this.#selects([...play.tags, ...tags]))
    kept.set(steps, selected)
    return this.#fromStart(play, selected, (step) => step)
  }

  /** Applies `startAt`. @throws Problem for a tag or a step that does not exist */
  start(states: PlayStates): PlayStates {
    const { tags = [], skipTags = [], startAt } = this.#options
    if (states.size === 0) return states
    for (const [flag, names] of [['--tags', tags] as const, ['--skip-tags', skipTags] as const])
      for (const tag of names)
        if (!this.#knownTags.has(tag) && !SPECIAL.has(tag))
          throw noSuchName(`${flag}: no step has the tag "${tag}"`, tag, [...this.#knownTags])
    if (startAt === undefined) return states
    const all = [...states.values()].flat()
    const firstPlay = this.#playRuns.findIndex(({ play }) =>
      all.some((one) => one.play === play && one.steps.some(({ expanded }) => isNamed(expanded, startAt))),
    )
    if (firstPlay === -1) {
      const names = all.flatMap(({ steps }) => steps.map(({ expanded: { step } }) => `${step.kind} ${step.name}`))
      throw noSuchName(`--start-at: there is no step "${startAt}"`, startAt, names)
    }
    this.#firstPlay = firstPlay
    const started = [...states].map(
      ([host, own]) =>
        [
          host,
          own.map((one) => ({ ...one, steps: this.#fromStart(one.play, one.steps, ({ expanded }) => expanded) })),
        ] as const,
    )
    return new Map(started)
  }

  /** Leaves out the plays before the first one, and in that one the steps before the first step. */
  #fromStart<T>(play: Play, steps: readonly T[], expandedOf: (one: T) => ExpandedStep): readonly T[] {
    const { startAt } = this.#options
    if (this.#firstPlay === undefined || startAt === undefined) return steps
    const at = this.#playRuns.findIndex((one) => one.play === play)
    if (at !== this.#firstPlay) return at < this.#firstPlay ? [] : steps
    const first = steps.findIndex((one) => isNamed(expandedOf(one), startAt))
    return first === -1 ? [] : steps.slice(first)
  }

  #selects(own: readonly string[]): boolean {
    const { tags, skipTags = [] } = this.#options
    for (const one of own) this.#knownTags.add(one)
    if (own.some((one) => skipTags.includes(one))) return false
    if (tags?.some((one) => own.includes(one))) return true
    return own.includes('always') || (!tags && !own.includes('never'))
  }
}

/** Tags with a meaning of their own; no step needs to have them. */
const SPECIAL: ReadonlySet<string> = new Set(['always', 'never'])

function isNamed({ step: { kind, name } }: ExpandedStep, wanted: string): boolean {
  return wanted === name || wanted === `${kind} ${name}`
}

function noSuchName(what: string, name: string, names: readonly string[]): Problem {
  const some = [...new Set(names)].slice(0, 20)
  return new Problem(what, {
    next: `${didYouMean(name, names) ?? (some.length > 0 ? `There are ${some.join(', ')}.` : 'There is none at all.')} Nothing was done.`,
  })
}
