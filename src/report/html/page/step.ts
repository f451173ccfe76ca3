import { describeDiff, describeParts } from '../../format.ts'
import type { JournalProblem, JournalStep, StepLine } from '../../journal/format.ts'
import { h } from './dom.ts'

/** The details of a step: parts, diffs, problem and source location. */
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

export function stepSummary({ difference, outcome, reason }: StepLine): string {
  if (reason !== undefined) return `fails, which is allowed: ${reason}`
  return difference ? describeDiff(difference) : outcome
}

export function roles({ roles }: JournalStep): HTMLElement | false {
  return roles.length > 0 && h('span', { class: 'role' }, roles.join(' › '))
}

export function problemBody({ message, where, details, next }: JournalProblem): HTMLElement {
  return h(
    'div',
    { class: 'problem-body' },
    h('p', { class: 'message' }, message),
    where !== undefined && h('p', { class: 'quiet mono' }, `at ${where}`),
    details.length > 0 && h('pre', { tabindex: '0' }, details.join('\n')),
    next !== undefined && h('p', { class: 'next' }, next),
  )
}

function diffView(diff: string): HTMLElement {
  const lines = diff.split('\n').map((line) => h('span', { class: classOf(line) }, `${line}\n`))
  return h('pre', { class: 'diff', tabindex: '0' }, lines)
}

function classOf(line: string): string {
  if (/^(\+\+\+|---) /.test(line)) return 'path'
  if (line.startsWith('@@')) return 'place'
  if (line.startsWith('+')) return 'plus'
  return line.startsWith('-') ? 'minus' : 'same'
}
