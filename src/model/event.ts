import type { Problem } from './problem.ts'
import type { Diff } from './resource/diff.ts'
import type { IngressRule } from './resource/step.ts'
import type { Source } from './source.ts'

/** All that a run tells, as it happens. Reporters turn it into something to see. */
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
      /** Whom the host lets in when the run has ended well; undefined when no step decides that. */
      readonly ingress?: readonly IngressRule[]
    }
  | { readonly kind: 'play'; readonly play: string; readonly hosts: readonly string[] }
  | { readonly kind: 'turn'; readonly play: string; readonly host: string; readonly steps: number }
  | {
      readonly kind: 'applying'
      readonly play: string
      readonly host: string
      readonly steps: readonly StepInfo[]
    }
  | ({
      readonly kind: 'step'
      readonly play: string
      readonly host: string
      readonly step: StepInfo
    } & StepOutcome)
  | {
      readonly kind: 'handler'
      readonly play: string
      readonly host: string
      readonly name: string
      readonly leftover: boolean
      readonly outcome: 'planned' | 'done' | 'failed'
      readonly problem?: Problem
    }
  | {
      readonly kind: 'drain'
      readonly play: string
      readonly host: string
      /** What the host is in it: `out of web`. */
      readonly label: string
      /** `stayed` when it could not be closed. */
      readonly outcome: 'planned' | 'drained' | 'undrained' | 'failed'
      /** The hosts that open it. */
      readonly on?: readonly string[]
      /** Left open by an earlier run. */
      readonly leftover: boolean
      readonly problem?: Problem
    }
  /** A transaction that an earlier run has left cut off; `planned` when it is only told. */
  | {
      readonly kind: 'recovered'
      readonly host: string
      readonly label: string
      readonly outcome: 'planned' | 'unchanged' | 'restored' | 'inactive'
      readonly details: readonly string[]
    }
  /** How far a step is, in its own words. */
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
  | {
      readonly kind: 'skipped'
      readonly play: string
      readonly hosts: readonly string[]
      readonly why: string
    }
  | { readonly kind: 'failed'; readonly play: string; readonly host: string; readonly problem: Problem }
  | { readonly kind: 'end'; readonly summary: Summary }

/** `check` looks and changes nothing. */
export type Mode = 'plan' | 'apply'

export interface StepInfo {
  readonly kind: string
  readonly name: string
  readonly roles: readonly string[]
  readonly source: Source | undefined
}

export type StepOutcome =
  | { readonly outcome: 'ok' }
  /** As wanted now, and read again by a run, since something before it may change that. */
  | { readonly outcome: 'deferred' }
  /** `sure` when nothing before it in the run can make it needless or other. */
  | {
      readonly outcome: 'planned'
      readonly known: boolean
      readonly difference: Diff
      readonly before?: readonly string[]
    }
  | {
      readonly outcome: 'changed'
      readonly difference: Diff
      readonly before?: readonly string[]
    }
  | { readonly outcome: 'failed'; readonly problem: Problem }

export interface HostSummary {
  readonly host: string
  readonly ok: number
  /** Steps that changed something, or would. */
  readonly changed: number
  /** Of the steps that would change, those that a run decides anew, since they come after a far-reaching change. */
  readonly tentative: number
  /** Steps that are already in place, and that a run reads again, since something before them may change that. 0 after a run. */
  readonly deferred: number
  readonly failed: number
  readonly unreachable: boolean
  /** Plays that were not begun on it, since it or another host had failed. */
  readonly skipped: number
  /** Why it was left alone, which is no failure: its own steps said so (`in maintenance`), or it is gone in a play that is there for that. */
  readonly excluded?: string
  /** Round trips after the login. */
  readonly trips: number
}

export interface Summary {
  readonly mode: Mode
  readonly hosts: readonly HostSummary[]
  readonly ms: number
  /** Whether a person stopped it before its end. */
  readonly interrupted: boolean
  readonly sent: number
  readonly received: number
}

/** An event of one kind. */
export type EventOf<K extends RunEvent['kind']> = Extract<RunEvent, { readonly kind: K }>
