import { describeDifference, describeParts } from '../describe.ts'
import type { StepLine, WrittenStep } from '../journal-lines.ts'
import { h } from './dom.ts'
import { problemBody } from './problems.ts'

/** What became of a step, below its title. */
export function stepBody({ difference, diffs = [], problem }: StepLine, step: WrittenStep): HTMLElement {
  return h(
    'div',
    { class: 'step-body' },
    difference && describeParts(difference).map((line) => h('p', { class: 'mono' }, line)),
    diffs.map(diffView),
    problem && problemBody(problem),
    step.source !== undefined && h('p', { class: 'quiet mono' }, `from ${step.source}`),
  )
}

export function stepWords({ difference, outcome }: StepLine): string {
  return difference ? describeDifference(difference) : outcome
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
