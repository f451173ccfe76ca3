import type { ExpandedStep } from '../../model/playbook/expand.ts'
import type { Play } from '../../model/playbook/play.ts'
import { Problem } from '../../model/problem.ts'
import { didYouMean } from '../../shell/nearest.ts'
import type { PlayRun, PlayStates } from '../context.ts'
import type { PlayState } from './refresh.ts'

/** Which steps a person wants of a playbook. */
export interface SelectOptions {
  /** Only steps with one of these words, and those that say `always`. @default all but those that say `never` */
  readonly tags?: readonly string[]
  readonly skipTags?: readonly string[]
  /** The step to begin with: its kind and name, or its name alone. */
  readonly startAt?: string
}

/** Which steps of which play a host takes. */
export class Selection {
  readonly #wanted: SelectOptions
  readonly #acts: readonly PlayRun[]
  readonly #there: (host: string) => boolean
  readonly #seen = new Set<string>()
  #start: number | undefined

  constructor(wanted: SelectOptions, acts: readonly PlayRun[], there: (host: string) => boolean) {
    this.#wanted = wanted
    this.#acts = acts
    this.#there = there
  }

  /** Whether this host takes what one takes for all: the first that can be reached does. */
  runsOnce(play: Play, host: string): boolean {
    const hosts = this.#acts.find((act) => act.play === play)?.hosts ?? []
    return hosts.find(({ name }) => this.#there(name))?.name === host
  }

  keep(play: Play, steps: readonly ExpandedStep[]): readonly ExpandedStep[] {
    return this.#startedAt(
      play,
      steps.filter(({ tags }) => this.#wants([...play.tags, ...tags])),
      (placed) => placed,
    )
  }

  /** @throws Problem for a word that no step bears, or a step that there is not; nothing was done then */
  begin(surveys: PlayStates): PlayStates {
    const { tags = [], skipTags = [], startAt } = this.#wanted
    if (surveys.size === 0) return surveys
    const known = [...this.#seen]
    for (const [flag, words] of [['--tags', tags] as const, ['--skip-tags', skipTags] as const])
      for (const word of words)
        if (!this.#seen.has(word) && !SPECIAL.has(word))
          throw noSuchName(`${flag}: no step has the tag "${word}"`, word, known)
    if (startAt === undefined) return surveys
    const all = [...surveys.values()].flat()
    const start = this.#acts.findIndex(({ play }) =>
      all.some((one) => one.play === play && one.examined.some(({ placed }) => isCalled(placed, startAt))),
    )
    if (start === -1) {
      const names = all.flatMap(({ examined }) =>
        examined.map(({ placed: { step } }) => `${step.kind} ${step.name}`),
      )
      throw noSuchName(`--start-at: there is no step "${startAt}"`, startAt, names)
    }
    this.#start = start
    return new Map([...surveys].map(([host, own]) => [host, own.map((one) => this.#begun(one))]))
  }

  #begun(one: PlayState): PlayState {
    return { ...one, examined: this.#startedAt(one.play, one.examined, ({ placed }) => placed) }
  }

  /** Plays before the one that has the step are left out, and in that one what comes before it. */
  #startedAt<T>(play: Play, steps: readonly T[], placedOf: (one: T) => ExpandedStep): readonly T[] {
    const { startAt } = this.#wanted
    if (this.#start === undefined || startAt === undefined) return steps
    const at = this.#acts.findIndex((act) => act.play === play)
    if (at !== this.#start) return at < this.#start ? [] : steps
    const first = steps.findIndex((one) => isCalled(placedOf(one), startAt))
    return first === -1 ? [] : steps.slice(first)
  }

  #wants(own: readonly string[]): boolean {
    const { tags, skipTags = [] } = this.#wanted
    for (const one of own) this.#seen.add(one)
    if (own.some((one) => skipTags.includes(one))) return false
    if (tags?.some((one) => own.includes(one))) return true
    return own.includes('always') || (!tags && !own.includes('never'))
  }
}

/** Words that mean something whether a step bears them or not. */
const SPECIAL: ReadonlySet<string> = new Set(['always', 'never'])

function isCalled({ step: { kind, name } }: ExpandedStep, wanted: string): boolean {
  return wanted === name || wanted === `${kind} ${name}`
}

function noSuchName(what: string, word: string, names: readonly string[]): Problem {
  const some = [...new Set(names)].slice(0, 20)
  return new Problem(what, {
    next: `${didYouMean(word, names) ?? (some.length > 0 ? `There are ${some.join(', ')}.` : 'There is none at all.')} Nothing was done.`,
  })
}
