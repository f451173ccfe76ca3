import type { StepInfo } from '../../model/event.ts'
import type { Host } from '../../model/inventory/host.ts'
import { assertSchemaFits, type Inventory } from '../../model/inventory/inventory.ts'
import type { Entries } from '../../model/inventory/schema.ts'
import { FACTS } from '../../model/playbook/delegate.ts'
import { type ExpandContext, type Expansion, expand, stepInfo } from '../../model/playbook/expand.ts'
import type { Play } from '../../model/playbook/play.ts'
import type { Playbook } from '../../model/playbook/playbook.ts'
import type { Steps } from '../../model/playbook/steps.ts'
import { Problem, wrapErrors } from '../../model/problem.ts'
import type { Facts } from '../../model/resource/facts.ts'
import type { Ask } from '../../model/resource/question.ts'
import type { Read } from '../../model/resource/read.ts'
import type { IngressRule } from '../../model/resource/step.ts'
import { playRunOf } from '../context.ts'
import type { PlayState } from './refresh.ts'
import { Selection, type SelectOptions } from './selection.ts'

/** A release of Debian to make hosts up with. */
export interface Release {
  readonly version: number
  readonly codename: string
}

export const RELEASES: readonly [Release, ...Release[]] = [
  { version: 13, codename: 'trixie' },
  { version: 12, codename: 'bookworm' },
]

/** A small host that was just installed. */
export function exampleFacts({ name }: Pick<Host, 'name'>, { version, codename }: Release): Facts {
  return {
    hostname: name,
    cpus: 2,
    memory: 4 * 1024 ** 3,
    architecture: 'amd64',
    os: { id: 'debian', version, codename },
    interface: 'eth0',
    interfaces: [],
    container: false,
    bootId: '00000000-0000-0000-0000-000000000000',
  }
}

/** What a question is answered where nothing is: each of its scripts fails without a word. @throws what the question makes of that */
export function emptyAnswer<T>({ parts, value }: Read<T>): T {
  const answer = { code: 1, stdout: '', stderr: '', bytes: Buffer.alloc(0) }
  return value(parts.map(({ family, query }) => family.parse(answer, [query])[0]))
}

/** @property guessed whether the steps hang on answers of hosts that nobody has asked */
export type HostlessExpansion = Expansion & { readonly guessed: boolean }

/** The steps of a host that has nothing yet and was never met. @throws {@link Unimaginable} where it depends on a made-up answer */
export function expandWithoutHost(
  steps: Steps,
  host: Host,
  release: Release,
  more: Pick<ExpandContext, 'runsOnce'> = {},
): HostlessExpansion {
  let guessed = false
  const answerTo = ({ host: asked, question }: Ask): unknown => {
    if (question === FACTS) return exampleFacts(asked, release)
    guessed = true
    return emptyAnswer(question.read)
  }
  const answers = { has: (ask: Ask) => canSay(() => answerTo(ask)), get: answerTo }
  try {
    return { ...expand(steps, { facts: exampleFacts(host, release), answers, ...more }), guessed }
  } catch (error) {
    throw guessed ? new NeedsAnswers('it depends on what hosts answer', { cause: error }) : error
  }
}

/** Steps that only real answers can tell. */
export class NeedsAnswers extends Error {
  override readonly name = 'Unimaginable'
}

function canSay(body: () => unknown): boolean {
  try {
    body()
    return true
  } catch {
    return false
  }
}

/** The steps of one play for one host. */
export interface PlaySteps {
  readonly play: string
  readonly host: string
  readonly steps: readonly StepInfo[]
}

export interface ListStepsOptions {
  readonly inventory: Inventory
  readonly playbook: Playbook
  readonly limit: (host: Host) => boolean
  readonly select: SelectOptions
}

/**
 * What a playbook does on which host, as if the hosts were new. Undefined when that hangs on what hosts answer: then only they can tell.
 *
 * @throws Problem for what is wrong with the playbook or a role
 */
export function listSteps({
  inventory,
  playbook,
  limit,
  select,
}: ListStepsOptions): readonly PlaySteps[] | undefined {
  assertSchemaFits(playbook, inventory)
  const plays = wrapErrors('the playbook', undefined, () => playbook.plays(inventory.values))
  const acts = plays.map((play) => playRunOf(play, limit))
  const selection = new Selection(select, acts, () => true)
  const surveys = new Map<string, PlayState[]>()
  for (const { play, hosts, steps } of acts)
    for (const host of hosts) {
      const imagined = whereKnown(() =>
        expandWithoutHost(steps.get(host.name), host, RELEASES[0], {
          runsOnce: selection.runsOnce(play, host.name),
        }),
      )
      if (!imagined || imagined.guessed || imagined.incomplete) return undefined
      const examined = selection
        .keep(play, imagined.steps)
        .map((placed) => ({ placed, have: undefined, difference: undefined }))
      const own = surveys.get(host.name) ?? []
      surveys.set(host.name, [...own, { play, examined, asks: [], version: 0, at: 0 }])
    }
  const kept = selection.begin(surveys)
  return acts.flatMap(({ play, hosts }) =>
    hosts.map(({ name: host }) => {
      const own = kept.get(host)?.find((one) => one.play === play)
      return {
        play: play.label,
        host,
        steps: (own?.examined ?? []).map(({ placed }) => stepInfo(placed)),
      }
    }),
  )
}

function whereKnown<T>(body: () => T): T | undefined {
  try {
    return body()
  } catch (error) {
    if (error instanceof NeedsAnswers) return undefined
    throw error
  }
}

/**
 * Goes through the whole plan on hosts that have nothing, so that each secret which a run will need is asked for now. Later, with
 * sessions open, a person who takes a minute to type would keep all hosts waiting. What goes wrong here goes wrong again, and is
 * told, in the run itself.
 */
export function promptSecrets<S extends Entries>(
  { values }: Inventory<S>,
  playbook: Playbook<S>,
  limit: (host: Host) => boolean = () => true,
): void {
  const plays = ignoringErrors(() => playbook.plays(values)) ?? []
  for (const play of plays) {
    for (const host of play.hosts.filter(limit)) {
      const steps = ignoringErrors(() => expandWithoutHost(play.steps(host), host, RELEASES[0]).steps) ?? []
      for (const { step } of steps) ignoringErrors(() => step.diff(emptyAnswer(step.read)))
    }
  }
}

function ignoringErrors<T>(body: () => T): T | undefined {
  try {
    return body()
  } catch {
    return undefined
  }
}

/** Whom each host would let in, by its name, as its roles unfold where nothing is yet. What hangs on the answers of hosts is left out. */
export function ingressOf(plays: readonly Play[]): ReadonlyMap<string, readonly IngressRule[]> {
  const found = new Map<string, IngressRule[]>()
  for (const play of plays)
    for (const host of play.hosts) {
      const admits = ingressIn(play, host)
      if (admits.length > 0) found.set(host.name, [...(found.get(host.name) ?? []), ...admits])
    }
  return found
}

/** A role may know one release alone. */
function ingressIn(play: Play, host: Host): readonly IngressRule[] {
  for (const release of RELEASES) {
    try {
      const { steps } = expand(play.steps(host), {
        facts: exampleFacts(host, release),
        answers: onlyFacts(release),
      })
      return steps.flatMap(({ step }) => step.ingress ?? [])
    } catch (error) {
      // What is wrong with it is for `provision validate` to say.
      if (!(error instanceof Problem)) throw error
    }
  }
  return []
}

function onlyFacts(release: Release) {
  return {
    has: ({ question }: Ask) => question === FACTS,
    get: ({ host }: Ask): unknown => exampleFacts(host, release),
  }
}
