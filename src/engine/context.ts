import type { RunEvent, StepInfo } from '../model/event.ts'
import type { Host } from '../model/inventory/host.ts'
import type { Play } from '../model/playbook/play.ts'
import type { Steps } from '../model/playbook/steps.ts'
import { wrapErrors } from '../model/problem.ts'
import type { Diff } from '../model/resource/diff.ts'
import type { HostRun } from './hosts/host-run.ts'
import type { Hosts } from './hosts/hosts.ts'
import type { PlayState } from './read/refresh.ts'
import type { Selection } from './read/selection.ts'

/** A play with what it asks of each of its hosts. */
export interface PlayRun {
  readonly play: Play
  readonly hosts: readonly Host[]
  readonly steps: ReadonlyMap<string, Steps>
}

/** What the survey has found: what each play would do on each host. */
export type PlayStates = ReadonlyMap<string, readonly PlayState[]>

/** What plays and hosts share in a run. */
export interface RunContext {
  readonly fleet: Hosts
  readonly members: ReadonlyMap<string, HostRun>
  readonly surveys: PlayStates
  readonly emit: (event: RunEvent) => void
  readonly diff: boolean
  readonly stop: AbortSignal
  readonly selection: Selection
  readonly confirm?: Confirm
  /** Why nothing else is begun on any host; set by a failure in a play with `anyErrorsFatal`. */
  halted: string | undefined
}

export function playRunOf(play: Play, limit: (host: Host) => boolean): PlayRun {
  const hosts = play.hosts.filter(limit)
  const stepsOf = (host: Host) =>
    wrapErrors(`play "${play.label}" for ${host.name}`, play.source, () => play.steps(host))
  return { play, hosts, steps: new Map(hosts.map((host) => [host.name, stepsOf(host)])) }
}

/** Whether a person wants this step done on this host. */
export type Confirm = (host: string, step: StepInfo, difference: Diff) => Promise<boolean>

/** A host's turn in a play. */
export interface HostTurn {
  readonly play: string
  readonly member: HostRun
  readonly emit: (event: RunEvent) => void
  /** Whether a person wants to see the texts that change. */
  readonly diff: boolean
  readonly stop: AbortSignal
  /** Asks a person before each step that would change something. @default nobody is asked */
  readonly confirm?: Confirm
  /** To be called before anything is changed, each time: opens the bracket around the host, when that was not done yet. */
  readonly begin: () => Promise<void>
}
