import type { StepInfo } from '../../model/event.ts'
import type { Host } from '../../model/inventory/host.ts'
import type { Entries } from '../../model/inventory/schema.ts'
import { stepInfo } from '../../model/playbook/expand.ts'
import type { ExpandedStep, Steps } from '../../model/playbook/steps.ts'
import { Problem } from '../../model/problem.ts'
import { RELEASES } from '../../model/resource/facts.ts'
import type { Handler } from '../../model/resource/handler.ts'
import { type Step, thingsOf } from '../../model/resource/step.ts'
import { isNamed, type Thing } from '../../model/resource/thing.ts'
import { type PlayRunOptions, playRunsOf } from './refresh.ts'
import { expandWithoutHost } from './without-hosts.ts'

/** A step that sets a thing. */
export interface Declaration {
  /** The host on which it is set. */
  readonly host: string
  /** The host whose turn has the step; another one for delegated steps. */
  readonly turn: string
  readonly play: string
  readonly thing: Thing
  /** The step as runs report it. */
  readonly step: StepInfo
  /** The part of the step that sets it, such as a file of a transaction or a fragment of a file; undefined for the whole step. */
  readonly part?: StepInfo
  readonly tags: readonly string[]
  /** The handlers that run if the step has changed something. */
  readonly notifies: readonly string[]
  /** The handlers whose commands the step runs itself. */
  readonly activates: readonly string[]
  /** True if the step depends on answers of hosts, and is made from those of an empty host. */
  readonly isGuess: boolean
}

/** A step that notifies a handler which acts on the thing. */
export interface Notifier {
  readonly host: string
  readonly play: string
  readonly handler: string
  readonly step: StepInfo
}

/** The steps that set a thing, and those that notify handlers about it. */
export interface Explanation {
  readonly declarations: readonly Declaration[]
  readonly notifiers: readonly Notifier[]
  /** Parts of the playbook that are not known without a connection, as sentences. */
  readonly unknown: readonly string[]
}

/**
 * Explains why a thing is on a host: the steps that set it. Hosts are not asked; they are assumed to be new, with the latest Debian.
 *
 * @param name of the thing, also as `TYPE:NAME`
 * @throws Problem for an error of the playbook
 */
export function explain<S extends Entries>(name: string, options: PlayRunOptions<S>): Explanation {
  const { limit = () => true, ...all } = options
  // A delegated step is in the turn of another host.
  const playRuns = playRunsOf(all)
  const declarations: Declaration[] = []
  const notifiers: Notifier[] = []
  const unknown: string[] = []
  const partial = new Map<string, string[]>()
  for (const { play, hosts, steps } of playRuns)
    for (const host of hosts) {
      const found = stepsWithoutHost(host, steps.get(host.name), host === hosts[0])
      if (limit(host) && found.problem)
        unknown.push(`${host.name}: the steps of play "${play.label}" cannot be made: ${found.problem.message}`)
      if (limit(host) && found.isPartial) partial.set(host.name, [...(partial.get(host.name) ?? []), play.label])
      for (const { expanded, isGuess } of found.steps) {
        const on = expanded.step.on ?? host
        if (!limit(on)) continue
        const about = { host: on.name, turn: host.name, play: play.label, isGuess }
        declarations.push(...declarationsOf(expanded, name, about))
        notifiers.push(...notifiersOf(expanded, name, about))
      }
    }
  for (const [host, plays] of partial)
    unknown.push(
      `${host}: some steps depend on answers of hosts or on output of commands, in ${plays.length === 1 ? 'play' : 'plays'} ${plays.join('; ')}`,
    )
  return { declarations, notifiers, unknown }
}

interface FoundSteps {
  readonly steps: readonly { readonly expanded: ExpandedStep; readonly isGuess: boolean }[]
  /** True if some steps are missing, because they depend on answers of hosts. */
  readonly isPartial: boolean
  /** The reason why there are no steps. */
  readonly problem?: Problem | undefined
}

/** The steps of a play for a new host: of the latest release for which they can be made. */
function stepsWithoutHost(host: Host, steps: Steps, runsOnce: boolean): FoundSteps {
  let problem: Problem | undefined
  for (const release of RELEASES) {
    try {
      const certain = expandWithoutHost(steps, host, release, { runsOnce, guess: false })
      const guessed = expandWithoutHost(steps, host, release, { runsOnce })
      const known = new Set((certain?.steps ?? []).map(keyOf))
      const made = (guessed ?? certain)?.steps ?? []
      return {
        steps: made.map((expanded) => ({
          expanded,
          isGuess: guessed?.isGuess === true && !known.has(keyOf(expanded)),
        })),
        // Further steps may be made from the output of a command.
        isPartial: !guessed || guessed.incomplete || made.some(({ more }) => more),
      }
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      problem ??= error
    }
  }
  return { steps: [], isPartial: false, problem }
}

function keyOf({ step: { kind, name, source, on }, roles }: ExpandedStep): string {
  return JSON.stringify([kind, name, source, on?.name, roles])
}

type About = Pick<Declaration, 'host' | 'turn' | 'play' | 'isGuess'>

function declarationsOf(expanded: ExpandedStep, name: string, about: About): readonly Declaration[] {
  const { step, joined, tags } = expanded
  const declaration = (thing: Thing, own: Step = step, part?: StepInfo): Declaration => ({
    ...about,
    ...{ thing, step: stepInfo(expanded), tags },
    ...(part && { part }),
    notifies: namesOf([...step.notify, ...own.notify]),
    activates: namesOf([...step.satisfies, ...own.satisfies]),
  })
  const thing = thingsOf(step).findLast((one) => isNamed(one, name))
  if (thing && joined) return joined.map((one) => declaration(thing, one.step, stepInfo(one)))
  if (thing) return [declaration(thing)]
  return (step.parts ?? []).flatMap((part) => {
    const found = thingsOf(part).findLast((one) => isNamed(one, name))
    return found ? [declaration(found, part, stepInfo({ ...expanded, step: part }))] : []
  })
}

function notifiersOf(expanded: ExpandedStep, name: string, { host, play }: About): readonly Notifier[] {
  const { step } = expanded
  const handlers = [step, ...(step.parts ?? [])].flatMap(({ notify, satisfies }) => [...notify, ...satisfies])
  return namesOf(handlers.filter((one) => actsOn(one, name))).map((handler) => ({
    ...{ host, play, handler },
    step: stepInfo(expanded),
  }))
}

/** True if this is its name, or if a command of it runs systemctl on the unit of this name. */
function actsOn({ name, commands }: Handler, text: string): boolean {
  if (isNamed({ type: 'handler', name }, text)) return true
  return commands.some(({ script }) => unitsIn(script.text).some((unit) => isNamed({ type: 'unit', name: unit }, text)))
}

/** The words after `systemctl` in a script: units, and options that name none. */
function unitsIn(script: string): readonly string[] {
  return script.split(/[\n;&|]/).flatMap((command) => {
    const words = command.split(/[\s'"()]+/)
    const at = words.indexOf('systemctl')
    return at < 0 ? [] : words.slice(at + 2)
  })
}

function namesOf(handlers: readonly Handler[]): readonly string[] {
  return [...new Set(handlers.map(({ name }) => name))]
}
