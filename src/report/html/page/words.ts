import { elapsed } from '../../../text/duration.ts'
import type { Outcome, RunTimeline } from '../../journal/timeline.ts'
import { count } from './dom.ts'

/** The worst first. */
export const OUTCOMES: readonly Outcome[] = ['failed', 'unreachable', 'skipped', 'changed', 'well']

export function outcomeLabel(outcome: Outcome, { mode }: RunTimeline): string {
  if (outcome === 'well') return 'as wanted'
  if (outcome === 'skipped') return 'left out'
  return outcome === 'changed' && mode === 'check' ? 'to change' : outcome
}

/** `+1.20 s` since the beginning. */
export function since(ms: number): string {
  return `+${elapsed(ms)}`
}

export function hostNames(hosts: readonly string[], most = 6): string {
  if (hosts.length <= most) return hosts.join(', ')
  return `${hosts.slice(0, most - 1).join(', ')} and ${count(hosts.length - most + 1, 'more host')}`
}
