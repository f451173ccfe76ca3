import type { EventOf } from '../model/event.ts'
import { describeDifference, describeParts, stepTitle } from './describe.ts'
import type { Paint } from './problem.ts'
import { unifiedDiffs } from './texts.ts'

/** What there is to say of a step that changed something, would change it, or failed. */
export function stepLines(event: EventOf<'step'>, paint: Paint): readonly string[] {
  const { step } = event
  const role = step.roles.length > 0 ? paint('dim', ` [${step.roles.join(' › ')}]`) : ''
  const title = `${stepTitle(step)}${role}`
  if (event.outcome === 'ok' || event.outcome === 'open')
    return [paint('dim', `${event.outcome === 'ok' ? '=' : '?'} ${stepTitle(step)}`)]
  if (event.outcome === 'failed') return [`${paint('red', '✗')} ${title}`]
  const diffs = event.before ? unifiedDiffs(event.difference, event.before) : []
  return [
    `${event.outcome === 'planned' && !event.sure ? paint('yellow', '?') : mark(event.outcome, paint)} ${title}: ${describeDifference(event.difference)}`,
    ...describeParts(event.difference).map((part) => `    ${part}`),
    ...diffs.flatMap((diff) => diff.split('\n').map((line) => `    ${coloured(line, paint)}`)),
  ]
}

export function handlerLine({ name, outcome, owed }: EventOf<'handler'>, paint: Paint): string {
  return `${mark(outcome, paint)} ${name}${owed ? ' (owed since an earlier run)' : ''}`
}

export function recoveredLines(
  { label, outcome, details }: EventOf<'recovered'>,
  paint: Paint,
): readonly string[] {
  const sign = mark(outcome === 'planned' ? 'planned' : 'done', paint)
  const more = details.map((line) => `    ${line}`)
  return [`${sign} ${label}: an earlier run was cut off in it; ${RECOVERED[outcome]}`, ...more]
}

const RECOVERED = {
  planned: 'a run puts the old files back first',
  'nothing begun': 'it had changed nothing yet',
  'in force': 'the old files are back in place and in force',
  'in place': 'the old files are back in place, and could not be put in force',
} as const

export function bracketLine({ label, outcome, owed, on = [] }: EventOf<'bracket'>, paint: Paint): string {
  const sign = outcome === 'planned' ? paint('yellow', '~') : paint('dim', '·')
  const words = outcome === 'left' ? `no longer ${label}` : label
  const where = on.length > 0 ? ` on ${on.join(', ')}` : ''
  return `${sign} ${words}${where}${owed ? ' (since an earlier run)' : ''}`
}

function mark(outcome: 'changed' | 'done' | 'planned' | 'failed', paint: Paint): string {
  if (outcome === 'failed') return paint('red', '✗')
  return paint('yellow', outcome === 'planned' ? '~' : '✓')
}

function coloured(line: string, paint: Paint): string {
  if (line.startsWith('+')) return paint('green', line)
  if (line.startsWith('-')) return paint('red', line)
  return line.startsWith('@@') ? paint('cyan', line) : line
}
