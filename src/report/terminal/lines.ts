import type { EventOf } from '../../model/event.ts'
import { describeDiff, describeParts, stepTitle } from '../describe.ts'
import type { Paint } from '../problem.ts'
import type { Style } from '../symbols.ts'
import { unifiedDiffs } from '../text-diff.ts'

/** What there is to say of a step that changed something, would change it, or failed; not its diffs. */
export function stepLines(event: EventOf<'step'>, { paint, symbols }: Style): readonly string[] {
  const { step, outcome } = event
  const role = step.roles.length > 0 ? paint('dim', ` [${step.roles.join(' › ')}]`) : ''
  const title = `${stepTitle(step)}${role}`
  if (outcome === 'ok' || outcome === 'open') return [paint('dim', `${symbols[outcome]} ${stepTitle(step)}`)]
  if (outcome === 'failed') return [`${paint('red', symbols.failed)} ${title}`]
  const sign = outcome === 'planned' && !event.sure ? 'unsure' : outcome
  return [
    `${paint('yellow', symbols[sign])} ${title}: ${describeDiff(event.difference)}`,
    ...describeParts(event.difference).map((part) => `    ${part}`),
  ]
}

/** The steps of a host that are already in place, and that a run reads again. */
export function openLine(titles: readonly string[], { paint, symbols }: Style): string {
  return paint('dim', `${symbols.open} ${titles.join(', ')}: already in place, read again in the run`)
}

/** A diff of {@link stepLines}' step each, of many lines; none where nobody has asked for them. */
export function stepDiffs(event: EventOf<'step'>): readonly string[] {
  if (event.outcome !== 'changed' && event.outcome !== 'planned') return []
  return event.before ? unifiedDiffs(event.difference, event.before) : []
}

export function diffLines(diff: string, paint: Paint): readonly string[] {
  return diff.split('\n').map((line) => `    ${coloured(line, paint)}`)
}

export function handlerLine({ name, outcome, owed }: EventOf<'handler'>, look: Style): string {
  return `${mark(outcome, look)} ${name}${owed ? ' (owed since an earlier run)' : ''}`
}

export function recoveredLines(
  { label, outcome, details }: EventOf<'recovered'>,
  look: Style,
): readonly string[] {
  const sign = mark(outcome === 'planned' ? 'planned' : 'done', look)
  const more = details.map((line) => `    ${line}`)
  return [`${sign} ${label}: an earlier run was cut off in it; ${RECOVERED[outcome]}`, ...more]
}

const RECOVERED = {
  planned: 'a run puts the old files back first',
  'nothing begun': 'it had changed nothing yet',
  'in force': 'the old files are back in place and in force',
  'in place': 'the old files are back in place, and could not be put in force',
} as const

export function drainLine(
  { label, outcome, owed, on = [] }: EventOf<'bracket'>,
  { paint, symbols }: Style,
): string {
  const sign = outcome === 'planned' ? paint('yellow', symbols.planned) : paint('dim', symbols.note)
  const words = outcome === 'left' ? `no longer ${label}` : label
  const where = on.length > 0 ? ` on ${on.join(', ')}` : ''
  return `${sign} ${words}${where}${owed ? ' (since an earlier run)' : ''}`
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
