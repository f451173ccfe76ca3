// cspell:ignore owed
import type { EventOf } from '../../model/event.ts'

type Line = Readonly<Record<string, unknown>>

/** Converts a line of a journal of version 1, which 0.1 wrote. To be deleted after one release. */
export function fromVersion1(line: Line): Line {
  const kind = String(line['kind'])
  const outcome = String(line['outcome'])
  return {
    ...renamed(line),
    kind: KINDS[kind] ?? kind,
    ...('mode' in line && { mode: modeOf(line['mode']) }),
    ...(kind === 'bracket' && { outcome: DRAIN_OUTCOMES[outcome] ?? outcome }),
    ...(kind === 'recovered' && { outcome: RECOVERIES[outcome] ?? outcome }),
    ...(kind === 'end' && { summary: summaryFrom(line['summary'] as Line) }),
  }
}

const KINDS: Readonly<Record<string, string>> = {
  'a step': 'define step',
  doors: 'define ingress',
  'as wanted': 'ok',
  surveyed: 'refreshed',
  bracket: 'drain',
  turned: 'turnEnd',
}

const DRAIN_OUTCOMES: Readonly<Record<string, EventOf<'drain'>['outcome']>> = {
  entered: 'drained',
  left: 'undrained',
  stayed: 'failed',
}

const RECOVERIES: Readonly<Record<string, EventOf<'recovered'>['outcome']>> = {
  'nothing begun': 'unchanged',
  'in force': 'restored',
  'in place': 'inactive',
}

const FIELDS: Readonly<Record<string, string>> = {
  admits: 'ingress',
  owed: 'pending',
  sure: 'known',
  open: 'tentative',
  recheck: 'deferred',
  away: 'excluded',
}

function renamed(line: Line): Line {
  return Object.fromEntries(Object.entries(line).map(([name, value]) => [FIELDS[name] ?? name, value]))
}

function summaryFrom({ mode, hosts, ...rest }: Line): Line {
  return { ...rest, mode: modeOf(mode), hosts: (hosts as readonly Line[]).map(renamed) }
}

function modeOf(mode: unknown): unknown {
  return mode === 'check' ? 'plan' : mode
}
