import { describeDiff, describeParts } from '../../describe.ts'
import type { JournalStep, StepLine } from '../../journal/format.ts'
import { h } from './dom.ts'
import { problemBody } from './problems.ts'

/** What became of a step, below its title. */
export function stepBody({ difference, diffs = [], problem }: StepLine, step: JournalStep): HTMLElement {
  return h(
    'div',
    { class: 'step-body' },
    difference && describeParts(difference).map((line) => h('p', { class: 'mono' }, line)),
    diffs.map(diffView),
    problem && problemBody(problem),
    step.source !== undefined && h('p', { class: 'quiet mono' }, `from ${step.source}`),
  )
}

export function stepSummary({ difference, outcome }: StepLine): string {
  return difference ? describeDiff(difference) : outcome
}

function diffView(diff: string): HTMLElement {
  const lines = diff.split('\n').map((line) => h('span', { class: toneOf(line) }, `${line}\n`))
  return h('pre', { class: 'diff', tabindex: '0' }, lines)
}

function toneOf(line: string): string {
  if (/^(\+\+\+|---) /.test(line)) return 'path'
  if (line.startsWith('@@')) return 'place'
  if (line.startsWith('+')) return 'plus'
  return line.startsWith('-') ? 'minus' : 'same'
}
