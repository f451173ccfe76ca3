import type { Mode, RunEvent } from '../../../src/model/event.ts'
import { type RecordedRun, recordedRun } from '../../../src/report/journal/history.ts'
import { journalWriter } from '../../../src/report/journal/journal.ts'
import { host, step, summary } from '../terminal/script.ts'

/** The record of a run that began on this day of January 2026, and took less than a second. */
export function runOf(day: number, events: readonly RunEvent[], mode: Mode = 'apply'): RecordedRun {
  return recordedRun(journalText(day, [{ kind: 'begin', mode, hosts: ['web1'], plays: ['web'] }, ...events, END]))
}

export function journalText(day: number, events: readonly RunEvent[]): string {
  const lines: string[] = []
  const two = String(day).padStart(2, '0')
  const header = {
    id: `202601${two}-000000-000a`,
    at: `2026-01-${two}T00:00:00.000Z`,
    command: `provision ${day}`,
    hosts: [],
  }
  const emit = journalWriter(header, (line) => lines.push(line))
  for (const event of events) emit(event)
  return lines.map((line) => `${line}\n`).join('')
}

const END: RunEvent = { kind: 'end', summary: summary([host({ host: 'web1' })], { ms: 500 }) }

const at = { play: 'web', host: 'web1' }

export const okStep = (name: string): RunEvent => ({
  kind: 'step',
  ...at,
  step: step('file', name, 'base'),
  outcome: 'ok',
})

type Values = Readonly<Record<string, readonly [from: string | undefined, to: string]>>

export const changedStep = (
  name: string,
  values: Values,
  { outcome = 'changed', action = 'change' }: { outcome?: 'changed' | 'planned'; action?: 'change' | 'create' } = {},
): RunEvent => {
  const fields = Object.entries(values).map(([field, [from, to]]) => ({
    ...{ name: field, to },
    ...(from !== undefined && { from }),
  }))
  const about = { kind: 'step', ...at, step: step('file', name, 'base'), difference: { action, fields } } as const
  return outcome === 'changed' ? { ...about, outcome } : { ...about, outcome, known: true }
}

export const applying = (...names: readonly string[]): RunEvent => ({
  kind: 'applying',
  ...at,
  steps: names.map((name) => step('file', name, 'base')),
})
