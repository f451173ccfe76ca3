import { elapsed } from '../../../shell/duration.ts'
import type { Outcome, RunTimeline } from '../../journal/timeline.ts'

/** Worst first. */
export const OUTCOMES: readonly Outcome[] = ['failed', 'unreachable', 'skipped', 'changed', 'ok']

export function outcomeLabel(outcome: Outcome, { mode }: RunTimeline): string {
  return outcome === 'changed' && mode === 'plan' ? 'to change' : outcome
}

/** The time since the start of the run: `+1.20 s`. */
export function since(ms: number): string {
  return `+${elapsed(ms)}`
}
