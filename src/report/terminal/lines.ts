import type { EventOf } from '../../model/event.ts'
import { describeDiff, describeParts, drainTitle, stepTitle } from '../format.ts'
import type { Paint } from '../problem.ts'
import { unifiedDiffs } from '../text-diff.ts'

export interface Style {
  readonly paint: Paint
  readonly symbols: Symbols
}

/** The mark at the beginning of a line, by outcome. */
export type Symbols = Readonly<
  Record<'changed' | 'planned' | 'deferred' | 'failed' | 'ok' | 'running' | 'note', string>
>

export const SYMBOLS: Symbols = {
  ...{ changed: '✓', planned: '~', deferred: '?', failed: '✗' },
  ...{ ok: '=', running: '…', note: '·' },
}

/** Words in place of symbols, which a screen reader reads by name or skips. */
export const SCREEN_READER_LABELS: Symbols = {
  ...{ changed: 'changed:', planned: 'would change:', deferred: 'may change:', failed: 'failed:' },
  ...{ ok: 'ok:', running: 'running:', note: 'note:' },
}

/** A step and its outcome, without its diffs. */
export function stepLines(event: EventOf<'step'>, { paint, symbols }: Style): readonly string[] {
  const { step, outcome } = event
  const role = step.roles.length > 0 ? paint('dim', ` [${step.roles.join(' › ')}]`) : ''
  const title = `${stepTitle(step)}${role}`
  if (outcome === 'ok' || outcome === 'deferred') return [paint('dim', `${symbols[outcome]} ${stepTitle(step)}`)]
  if (outcome === 'failed') return [`${paint('red', symbols.failed)} ${title}`]
  if (outcome === 'allowed')
    return [
      `${paint('yellow', symbols.failed)} ${title}: fails, which is allowed: ${event.reason}`,
      ...[event.problem.message, ...event.problem.details].map((text) => paint('dim', `    ${text}`)),
    ]
  const symbol = outcome === 'planned' && !event.known ? 'deferred' : outcome
  return [
    `${paint('yellow', symbols[symbol])} ${title}: ${describeDiff(event.difference)}`,
    ...describeParts(event.difference).map((part) => `    ${part}`),
  ]
}

/** The steps of a host that are ok now and are read again during the run. */
export function deferredLine(titles: readonly string[], { paint, symbols }: Style): string {
  return paint('dim', `${symbols.deferred} ${titles.join(', ')}: ok now, known after apply`)
}

/** The unified diffs of a step; empty unless the run was started with `--diff`. */
export function stepDiffs(event: EventOf<'step'>): readonly string[] {
  if (event.outcome !== 'changed' && event.outcome !== 'planned') return []
  return event.before ? unifiedDiffs(event.difference, event.before) : []
}

export function diffLines(diff: string, paint: Paint): readonly string[] {
  return diff.split('\n').map((line) => `    ${coloured(line, paint)}`)
}

export function handlerLine({ name, outcome, pending }: EventOf<'handler'>, style: Style): string {
  return `${mark(outcome, style)} ${name}${pending ? ' (pending since an earlier run)' : ''}`
}

export function recoveredLines({ label, outcome, details }: EventOf<'recovered'>, style: Style): readonly string[] {
  const sign = mark(outcome === 'planned' ? 'planned' : 'done', style)
  const more = details.map((line) => `    ${line}`)
  return [`${sign} ${label}: interrupted in an earlier run; ${RECOVERED[outcome]}`, ...more]
}

const RECOVERED = {
  planned: 'a run restores the old files first',
  unchanged: 'it had changed nothing yet',
  restored: 'the old files are restored and active',
  inactive: 'the old files are restored, but could not be activated',
} as const

export function waivedLine({ policy, changes, reason, until }: EventOf<'policy'>, { paint, symbols }: Style): string {
  const what = `waived until ${until}: ${policy}: ${changes.join(', ')}`
  return `${paint('yellow', symbols.note)} ${what} (${reason})`
}

export function drainLine({ label, outcome, pending, on = [] }: EventOf<'drain'>, { paint, symbols }: Style): string {
  const sign = outcome === 'planned' ? paint('yellow', symbols.planned) : paint('dim', symbols.note)
  const where = on.length > 0 ? ` on ${on.join(', ')}` : ''
  return `${sign} ${drainTitle(label, outcome)}${where}${pending ? ' (pending since an earlier run)' : ''}`
}

function mark(outcome: 'done' | 'planned' | 'failed', { paint, symbols }: Style): string {
  if (outcome === 'failed') return paint('red', symbols.failed)
  return paint('yellow', outcome === 'planned' ? symbols.planned : symbols.changed)
}

function coloured(line: string, paint: Paint): string {
  if (line.startsWith('+')) return paint('green', line)
  if (line.startsWith('-')) return paint('red', line)
  return line.startsWith('@@') ? paint('cyan', line) : line
}
