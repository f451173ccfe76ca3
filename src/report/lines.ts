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

function mark(outcome: 'changed' | 'done' | 'planned' | 'failed', paint: Paint): string {
  if (outcome === 'failed') return paint('red', '✗')
  return paint('yellow', outcome === 'planned' ? '~' : '✓')
}

function coloured(line: string, paint: Paint): string {
  if (line.startsWith('+')) return paint('green', line)
  if (line.startsWith('-')) return paint('red', line)
  return line.startsWith('@@') ? paint('cyan', line) : line
}
