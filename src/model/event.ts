import type { Problem } from './problem.ts'
import type { Diff } from './resource/diff.ts'
import type { IngressRule } from './resource/step.ts'
import type { Source } from './source.ts'

/** An event of a run, emitted as it happens. Reporters render it. */
export type RunEvent =
  | {
      readonly kind: 'begin'
      readonly mode: Mode
      readonly hosts: readonly string[]
      readonly plays: readonly string[]
    }
  | { readonly kind: 'connected'; readonly host: string; readonly ms: number }
  | { readonly kind: 'unreachable'; readonly host: string; readonly problem: Problem }
  | {
      readonly kind: 'refreshed'
      readonly host: string
      readonly steps: number
      readonly differing: number
      /** The inbound traffic that the host allows after a successful run; undefined if no step controls it. */
      readonly ingress?: readonly IngressRule[]
    }
  | { readonly kind: 'play'; readonly play: string; readonly hosts: readonly string[] }
  | { readonly kind: 'turn'; readonly play: string; readonly host: string; readonly steps: number }
  | { readonly kind: 'applying'; readonly play: string; readonly host: string; readonly steps: readonly StepInfo[] }
  | ({ readonly kind: 'step'; readonly play: string; readonly host: string; readonly step: StepInfo } & StepOutcome)
  | {
      readonly kind: 'handler'
      readonly play: string
      readonly host: string
      readonly name: string
      readonly pending: boolean
      readonly outcome: 'planned' | 'done' | 'failed'
      readonly problem?: Problem
    }
  | {
      readonly kind: 'drain'
      readonly play: string
      readonly host: string
      /** The label of the drain: `backend web`. */
      readonly label: string
      /** `failed` if the host could not be undrained. */
      readonly outcome: 'planned' | 'drained' | 'undrained' | 'failed'
      /** The hosts that run the commands. */
      readonly on?: readonly string[]
      /** True if an earlier run has left the host drained. */
      readonly pending: boolean
      readonly problem?: Problem
    }
  /** A transaction that an earlier run has left unfinished; `planned` if it is only reported. */
  | {
      readonly kind: 'recovered'
      readonly host: string
      readonly label: string
      readonly outcome: 'planned' | 'unchanged' | 'restored' | 'inactive'
      readonly details: readonly string[]
    }
  /**
   * A policy of the inventory, or a protected step, that refuses changes of a host before the run changes anything; or a waiver that allows
   * them.
   */
  | {
      readonly kind: 'policy'
      readonly host: string
      /** The name of the policy; of a protected step, its kind and name. */
      readonly policy: string
      /** The titles of the changes. */
      readonly changes: readonly string[]
      readonly outcome: 'refused' | 'waived'
      /** Why they are refused. */
      readonly problem?: Problem
      /** The reason of the waiver. */
      readonly reason?: string
      /** The end of the waiver, in ISO 8601. */
      readonly until?: string
    }
  /** A progress message of a step. */
  | {
      readonly kind: 'progress'
      readonly play: string
      readonly host: string
      readonly step: StepInfo
      readonly text: string
    }
  | { readonly kind: 'waiting'; readonly play: string; readonly host: string; readonly for: string }
  | {
      readonly kind: 'turnEnd'
      readonly play: string
      readonly host: string
      readonly changed: number
      readonly failed: boolean
    }
  | { readonly kind: 'skipped'; readonly play: string; readonly hosts: readonly string[]; readonly why: string }
  | { readonly kind: 'failed'; readonly play: string; readonly host: string; readonly problem: Problem }
  | { readonly kind: 'end'; readonly summary: Summary }

/** `plan` changes nothing. */
export type Mode = 'plan' | 'apply'

/** A step of a play, for display. */
export interface StepInfo {
  readonly kind: string
  readonly name: string
  readonly roles: readonly string[]
  readonly source: Source | undefined
}

export type StepOutcome =
  | { readonly outcome: 'ok' }
  /** In the declared state, but an earlier change may affect it: a run reads it again. */
  | { readonly outcome: 'deferred' }
  /** `known` is false if an earlier change of the run may make the step unnecessary or different. */
  | {
      readonly outcome: 'planned'
      readonly known: boolean
      readonly difference: Diff
      readonly before?: readonly string[]
    }
  | { readonly outcome: 'changed'; readonly difference: Diff; readonly before?: readonly string[] }
  | { readonly outcome: 'failed'; readonly problem: Problem }
  /** Failed, or would fail, and its failure is allowed: the host goes on. */
  | { readonly outcome: 'allowed'; readonly problem: Problem; readonly reason: string }

/** The outcome of a run on one host. */
export interface HostSummary {
  readonly host: string
  readonly ok: number
  /** Steps that have changed something, or would change something. */
  readonly changed: number
  /** The steps that would change something, but that an earlier change may affect: a run decides on them again. */
  readonly tentative: number
  /** Steps that are in the declared state, but that an earlier change may affect: a run reads them again. 0 after a run. */
  readonly deferred: number
  readonly failed: number
  /** Steps that failed, or would fail, where that is allowed. @default 0 */
  readonly allowed?: number
  readonly unreachable: boolean
  /** Plays that did not start on it, because it or another host had failed. */
  readonly skipped: number
  /**
   * The reason why it was excluded, which is no failure: its own steps exclude it (`in maintenance`), or all its plays ignore that it is
   * not reachable.
   */
  readonly excluded?: string
  /** Round trips after the login. */
  readonly trips: number
}

/** The outcome of a run. */
export interface Summary {
  readonly mode: Mode
  readonly hosts: readonly HostSummary[]
  readonly ms: number
  /** True if the user stopped the run before its end. */
  readonly interrupted: boolean
  /** True if policies or protected steps refuse the changes, so that nothing was changed. @default false */
  readonly refused?: boolean
  readonly sent: number
  readonly received: number
}

/**
 * The result of a run. A failure takes precedence over an unreachable host, and a refusal by a policy and an interruption over both;
 * `changes` is for plans only.
 */
export type RunStatus = 'ok' | 'changes' | 'failed' | 'unreachable' | 'refused' | 'interrupted'

export function statusOf({ hosts, mode, interrupted, refused }: Summary): RunStatus {
  if (interrupted) return 'interrupted'
  if (refused) return 'refused'
  if (hosts.some(({ failed }) => failed > 0)) return 'failed'
  if (hosts.some(({ unreachable }) => unreachable)) return 'unreachable'
  return mode === 'plan' && hosts.some(({ changed }) => changed > 0) ? 'changes' : 'ok'
}

/** An event of one kind. */
export type EventOf<K extends RunEvent['kind']> = Extract<RunEvent, { readonly kind: K }>
