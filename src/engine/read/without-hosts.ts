import type { StepInfo } from '../../model/event.ts'
import type { Host } from '../../model/inventory/host.ts'
import type { Inventory } from '../../model/inventory/inventory.ts'
import type { Entries } from '../../model/inventory/schema.ts'
import { type ExpandContext, type Expansion, expand, stepInfo } from '../../model/playbook/expand.ts'
import type { Play } from '../../model/playbook/play.ts'
import type { Playbook } from '../../model/playbook/playbook.ts'
import type { Steps } from '../../model/playbook/steps.ts'
import { exampleFacts, type OperatingSystem, RELEASES } from '../../model/resource/facts.ts'
import type { Ask } from '../../model/resource/question.ts'
import type { Read } from '../../model/resource/read.ts'
import { FACTS } from '../../model/resource/read-facts.ts'
import type { IngressRule } from '../../model/resource/step.ts'
import { type PlayRunOptions, type PlayState, playRunsOf } from './refresh.ts'
import { Selection, type SelectOptions } from './selection.ts'

interface WithoutHostOptions extends Pick<ExpandContext, 'runsOnce'> {
  /** False to leave out the steps that depend on answers of hosts. @default true: they are expanded as on empty hosts */
  readonly guess?: boolean
}

/**
 * Expands steps for a new host that is not connected.
 *
 * @returns undefined if the steps need a real answer; `isGuess` if they are made from answers of empty hosts
 */
export function expandWithoutHost(
  steps: Steps,
  host: Host,
  os: OperatingSystem,
  { guess = true, ...options }: WithoutHostOptions = {},
): (Expansion & { readonly isGuess: boolean }) | undefined {
  let isGuess = false
  const get = ({ host: asked, question }: Ask): unknown => {
    if (question === FACTS) return exampleFacts(asked, os)
    isGuess = true
    return emptyAnswer(question.read)
  }
  const has = (ask: Ask) =>
    ask.question === FACTS || (guess && ignoreErrors(() => ({ answer: get(ask) })) !== undefined)
  try {
    const expansion = expand(steps, { facts: exampleFacts(host, os), host, answers: { has, get }, ...options })
    return { ...expansion, isGuess }
  } catch (error) {
    if (isGuess) return undefined
    throw error
  }
}

/** The answer of an empty host, where each script fails without output. @throws the error of the question */
export function emptyAnswer<T>({ parts, value }: Read<T>): T {
  const answer = { code: 1, stdout: '', stderr: '', bytes: Buffer.alloc(0) }
  return value(parts.map(({ family, query }) => family.parse(answer, [query])[0]))
}

/** The steps of a play for a host. */
export interface PlaySteps {
  readonly play: string
  readonly host: string
  readonly steps: readonly StepInfo[]
}

export interface ListStepsOptions extends PlayRunOptions {
  readonly select: SelectOptions
}

/**
 * Lists the steps of a playbook for new hosts.
 *
 * @returns undefined if the steps depend on answers of the hosts
 * @throws Problem for an error of the playbook or of a role
 */
export function listSteps({ select, ...options }: ListStepsOptions): readonly PlaySteps[] | undefined {
  const playRuns = playRunsOf(options)
  const selection = new Selection(select, playRuns)
  const states = new Map<string, PlayState[]>()
  for (const { play, hosts, steps } of playRuns)
    for (const host of hosts) {
      const runsOnce = host === hosts[0]
      const expansion = expandWithoutHost(steps.get(host.name), host, RELEASES[0], { runsOnce })
      if (!expansion || expansion.isGuess || expansion.incomplete) return undefined
      const kept = selection.keep(play, expansion.steps)
      const own = kept.map((expanded) => ({ expanded, have: undefined, difference: undefined }))
      const before = states.get(host.name) ?? []
      states.set(host.name, [...before, { play, steps: own, asks: [], version: 0, opening: 0, at: 0 }])
    }
  const started = selection.start(states)
  return playRuns.flatMap(({ play, hosts }) =>
    hosts.map(({ name: host }) => {
      const steps = started.get(host)?.find((one) => one.play === play)?.steps ?? []
      return { play: play.label, host, steps: steps.map(({ expanded }) => stepInfo(expanded)) }
    }),
  )
}

/**
 * Asks for each secret that a run will need: later the hosts would have to wait for the user. Errors are ignored, because the run reports
 * them.
 */
export function promptSecrets<S extends Entries>(
  { values }: Inventory<S>,
  playbook: Playbook<S>,
  limit: (host: Host) => boolean = () => true,
): void {
  for (const play of ignoreErrors(() => playbook.plays(values)) ?? []) {
    for (const host of play.hosts.filter(limit)) {
      const expansion = ignoreErrors(() => expandWithoutHost(play.steps(host), host, RELEASES[0]))
      for (const { step } of expansion?.steps ?? []) ignoreErrors(() => step.diff(emptyAnswer(step.read)))
    }
  }
}

/** The inbound traffic that each host would allow, by the host's name. Steps that depend on answers of hosts are left out. */
export function ingressByHost(plays: readonly Play[]): ReadonlyMap<string, readonly IngressRule[]> {
  const found = new Map<string, IngressRule[]>()
  for (const play of plays)
    for (const host of play.hosts) {
      const rules = ingressOf(play, host)
      if (rules.length > 0) found.set(host.name, [...(found.get(host.name) ?? []), ...rules])
    }
  return found
}

/** A role may support only one release. */
function ingressOf(play: Play, host: Host): readonly IngressRule[] {
  for (const release of RELEASES) {
    const expansion = ignoreErrors(() => expandWithoutHost(play.steps(host), host, release, { guess: false }))
    if (expansion) return expansion.steps.flatMap(({ step }) => step.ingress ?? [])
  }
  return []
}

function ignoreErrors<T>(body: () => T): T | undefined {
  try {
    return body()
  } catch {
    return undefined
  }
}
