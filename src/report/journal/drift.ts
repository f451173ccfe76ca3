import type { Action } from '../../model/resource/diff.ts'
import type { JournalDiff, JournalStep } from './format.ts'
import { type RecordedRun, type RecordedStep, stepKey } from './history.ts'

/** A step of a host that is not, or was not, in the declared state. */
export interface Drift {
  readonly host: string
  readonly play: string
  readonly step: JournalStep
  readonly action: Action
  readonly fields: readonly DriftField[]
  /**
   * `host`: something else than provision has changed the host. `declaration`: the playbook or the inventory has changed, and no run has
   * applied that. `both`. `new`: no recorded run has applied the step. `unknown`: the records do not show it.
   */
  readonly cause: 'host' | 'declaration' | 'both' | 'new' | 'unknown'
  /** The last recorded run that left the step in the declared state. */
  readonly last?: RunReference
  /** A later run that began to apply the step, and failed or ended meanwhile. */
  readonly interrupted?: RunReference
}

/** A value that differs; undefined for nothing. */
export interface DriftField {
  readonly name: string
  readonly now?: string
  /** The value that the last run that set it has left; undefined if that is not recorded. */
  readonly left?: string
  readonly declared: string
}

export interface RunReference extends Pick<RecordedRun, 'ended'> {
  readonly id: string
  readonly at: string
  readonly command: string
}

/** The states in which runs have left the steps of hosts. */
export class LeftStates {
  readonly #steps = new Map<string, LeftStep>()
  readonly #hosts = new Set<string>()

  /** Adds a run that is later than those before; dry runs leave nothing. */
  add(run: RecordedRun): void {
    if (run.mode !== 'apply') return
    for (const { host, step, outcome, difference } of run.steps) {
      this.#hosts.add(host)
      const key = stepKey(host, step)
      const before = this.#steps.get(key) ?? { fields: new Map() }
      if (outcome === 'failed' || outcome === 'unfinished')
        this.#steps.set(key, { ...before, interrupted: referenceTo(run) })
      if (outcome !== 'ok' && outcome !== 'changed') continue
      const fields = new Map(before.fields)
      const set = fieldsOf(difference)
      for (const { name } of set) fields.delete(name)
      for (const { name, declared } of uniqueFields(set)) fields.set(name, declared)
      this.#steps.set(key, { fields, last: referenceTo(run) })
    }
  }

  /** The drifts that a run has found: those that it corrected, or those that it would correct. */
  driftsIn({ steps }: RecordedRun): readonly Drift[] {
    return steps.flatMap((one) => {
      const { host, play, step, outcome, difference } = one
      if ((outcome !== 'planned' && outcome !== 'changed') || !difference) return []
      return [{ ...{ host, play, step, action: difference.action }, ...this.#compare(one, difference) }]
    })
  }

  #compare({ host, step }: RecordedStep, difference: JournalDiff): Pick<Drift, 'fields' | 'cause'> {
    const { fields: left, last, interrupted } = this.#steps.get(stepKey(host, step)) ?? NOTHING
    const all = fieldsOf(difference)
    const unique = new Set(uniqueFields(all))
    const fields = all.map((field): DriftField => {
      const value = unique.has(field) ? left.get(field.name) : undefined
      return { ...field, ...(value !== undefined && { left: value }) }
    })
    const cause = last ? causeOf(fields, difference) : this.#hosts.has(host) ? 'new' : 'unknown'
    return { fields, cause, ...(last && { last }), ...(interrupted && { interrupted }) }
  }
}

interface LeftStep {
  /** The value of each field that a run has set. */
  readonly fields: ReadonlyMap<string, string>
  readonly last?: RunReference
  readonly interrupted?: RunReference
}

const NOTHING: LeftStep = { fields: new Map() }

/** The cause of a difference of a step that a run has left in the declared state. */
function causeOf(fields: readonly DriftField[], { action }: JournalDiff): Drift['cause'] {
  const known = fields.filter((one) => one.left !== undefined)
  const redeclared = known.some(({ left, declared }) => left !== declared)
  // The value of a secret is not recorded.
  const differs = ({ now, left, declared }: DriftField) => (now === undefined ? declared !== SECRET : now !== left)
  // A run had made what is to be created.
  if (action === 'create' || known.some(differs)) return redeclared ? 'both' : 'host'
  return redeclared ? 'declaration' : 'unknown'
}

/** The value of a hidden field in a diff. */
const SECRET = 'a secret'

/** The fields whose names are unique: those of several lines of a file have one name. */
function uniqueFields(fields: readonly DriftField[]): readonly DriftField[] {
  return fields.filter(({ name }) => fields.filter((other) => other.name === name).length === 1)
}

/** The fields of a diff and of its parts, with the names of the parts. */
function fieldsOf(difference: JournalDiff | undefined): readonly DriftField[] {
  if (!difference) return []
  const own = difference.fields.map(({ name, from, to }) => ({
    name,
    declared: to,
    ...(from !== undefined && { now: from }),
  }))
  const parts = (difference.parts ?? []).flatMap((part) =>
    fieldsOf(part.difference).map((field) => ({ ...field, name: `${part.name}: ${field.name}` })),
  )
  return [...own, ...parts]
}

export function referenceTo({ about: { id, at, command }, ended }: RecordedRun): RunReference {
  return { id, at, command, ended }
}

/** A drift over several runs. */
export interface DriftEpisode extends Drift {
  /** The first run that found it. */
  readonly found: RunReference
  /** The last run that found it. */
  readonly seen: RunReference
  /** The run that corrected it; undefined if none did. */
  readonly corrected?: RunReference
  /** A run that found the step in the declared state again, although no run had corrected it. */
  readonly gone?: RunReference
}

/** The drifts that the recorded runs have found, the latest first. @param runs the latest first */
export function driftHistory(runs: readonly RecordedRun[]): readonly DriftEpisode[] {
  const left = new LeftStates()
  const open = new Map<string, DriftEpisode>()
  const closed: DriftEpisode[] = []
  const close = (key: string, end: Pick<DriftEpisode, 'corrected' | 'gone'>) => {
    const episode = open.get(key)
    if (episode) closed.push({ ...episode, ...end })
    open.delete(key)
  }
  for (const run of runs.toReversed()) {
    const reference = referenceTo(run)
    for (const drift of left.driftsIn(run)) {
      if (!drift.last || drift.cause === 'declaration') continue
      const key = stepKey(drift.host, drift.step)
      const { found = reference } = open.get(key) ?? {}
      open.set(key, { ...drift, found, seen: reference })
    }
    for (const { host, step, outcome } of run.steps) {
      if (outcome === 'changed') close(stepKey(host, step), { corrected: reference })
      if (outcome === 'ok') close(stepKey(host, step), { gone: reference })
    }
    left.add(run)
  }
  return [...closed, ...open.values()].sort((a, b) => b.seen.ended - a.seen.ended)
}
