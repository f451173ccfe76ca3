import type { Logins } from '../../engine/read/logins.ts'
import type { Problem } from '../../model/problem.ts'
import { count, stepTitle } from '../format.ts'
import type { Drift, DriftEpisode, DriftField, RunReference } from '../journal/drift.ts'
import type { Paint } from '../problem.ts'
import { minute } from './why.ts'

/** The drift of one host. */
export interface HostDrift {
  readonly host: string
  readonly drifts: readonly Drift[]
  /** The reason why the host, or a part of it, could not be read. */
  readonly unknown?: Problem | string
  /** The logins since the last run; the reason if they could not be had; undefined if nothing has drifted. */
  readonly logins?: HostLogins | string
}

/** The logins of a host since a time, in milliseconds since 1970 by the clock of this machine. */
export interface HostLogins extends Logins {
  readonly since: number
  /** The recorded run of each login that belongs to one, or `this command`. */
  readonly runs: readonly (string | undefined)[]
}

/** The drift of all hosts as text. */
export function driftLines(hosts: readonly HostDrift[], paint: Paint): readonly string[] {
  const clean = hosts.filter(({ drifts, unknown }) => drifts.length === 0 && unknown === undefined)
  return [
    ...hosts.filter((one) => !clean.includes(one)).flatMap((one) => hostLines(one, paint)),
    ...(clean.length > 0 ? [`No drift: ${clean.map(({ host }) => host).join(', ')}`] : []),
  ]
}

function hostLines({ host, drifts, unknown, logins }: HostDrift, paint: Paint): readonly string[] {
  const name = paint('bold', host)
  return [
    ...(unknown === undefined ? [] : [`${name}: ${paint('yellow', 'unknown')}: ${unknownText(unknown)}`]),
    ...(drifts.length > 0 ? [`${name}: ${count(drifts.length, 'step')} differ${drifts.length === 1 ? 's' : ''}`] : []),
    ...drifts.flatMap((one) => driftText(one, paint)),
    ...(logins === undefined ? [] : loginLines(logins)),
  ]
}

function unknownText(unknown: Problem | string): string {
  return typeof unknown === 'string' ? unknown : unknown.message
}

function driftText(drift: Drift, paint: Paint): readonly string[] {
  const { step, action, fields, cause, last, interrupted } = drift
  const role = step.roles.length > 0 ? ` [${step.roles.join(' › ')}]` : ''
  const title = `${stepTitle(step)}${paint('dim', role)}${step.source === undefined ? '' : `, ${step.source}`}`
  return [
    `  ${paint('yellow', '~')} ${title}`,
    `      ${CAUSES[cause]}${fields.length === 0 ? ` (${action})` : ''}`,
    ...fields.map((field) => `      ${fieldText(field)}`),
    ...(last ? [`      last run: ${runText(last)}`] : []),
    ...(interrupted ? [`      a run did not complete it: ${runText(interrupted)}`] : []),
  ]
}

const CAUSES: Readonly<Record<Drift['cause'], string>> = {
  host: 'changed on the host since the last run',
  declaration: 'declared differently since the last run, and not applied',
  both: 'changed on the host, and declared differently since the last run',
  new: 'no recorded run has applied it',
  unknown: 'differs; the records do not show whether the host or the declaration has changed',
}

/** `mode: now 0600, the last run left 0644, declared 0644` */
function fieldText({ name, now, left, declared }: DriftField): string {
  return `${name}: now ${now ?? 'nothing or not shown'}, ${left === undefined ? '' : `the last run left ${left}, `}declared ${declared}`
}

function runText({ id, at, command }: RunReference): string {
  return `${minute(Date.parse(at))}, run ${id} (${command})`
}

function loginLines(logins: HostLogins | string): readonly string[] {
  if (typeof logins === 'string') return [`  Logins: unknown: ${logins}`]
  const { since, completeFrom, source, runs } = logins
  if (source === undefined) return ['  Logins: unknown: the host has neither a journal nor wtmp']
  const isComplete = completeFrom !== undefined && completeFrom <= since
  const lines = logins.logins.map(
    ({ time, user, from, method }, i) =>
      `    ${second(time)} ${user}${from === undefined ? ' at the console' : ` from ${from}`}${method === undefined ? '' : `, ${method}`}${runs[i] === undefined ? '' : ` (${runs[i] === 'this command' ? '' : 'run '}${runs[i]})`}`,
  )
  return [
    `  Logins since ${minute(since)}:${lines.length === 0 ? (isComplete ? ' none' : ' none recorded') : ''}`,
    ...lines,
    ...(isComplete
      ? []
      : [`    unknown before ${completeFrom === undefined ? 'now' : second(completeFrom)}: no older records`]),
  ]
}

function second(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19).replace('T', ' ')
}

/** The drift of all hosts as objects for JSON. */
export function driftObjects(hosts: readonly HostDrift[]): readonly object[] {
  return hosts.map(({ host, drifts, unknown, logins }) => ({
    ...{ kind: 'drift', host, drifts: drifts.map(({ host: _host, ...drift }) => drift) },
    ...(unknown !== undefined && { unknown: typeof unknown === 'string' ? unknown : unknown.message }),
    ...(logins !== undefined && { logins: loginsObject(logins) }),
  }))
}

function loginsObject(logins: HostLogins | string): object {
  if (typeof logins === 'string') return { unknown: logins }
  const { since, completeFrom, source, runs } = logins
  return {
    since: new Date(since).toISOString(),
    completeFrom: completeFrom === undefined ? null : new Date(completeFrom).toISOString(),
    source: source ?? null,
    entries: logins.logins.map((one, i) => ({ ...one, time: new Date(one.time).toISOString(), run: runs[i] })),
  }
}

/** The drifts of all recorded runs as text. */
export function historyLines(episodes: readonly DriftEpisode[], paint: Paint): readonly string[] {
  if (episodes.length === 0) return ['No drift is recorded.']
  return episodes.flatMap((one) => [
    `${paint('bold', one.host)} ${stepTitle(one.step)}: ${CAUSES[one.cause]}`,
    ...one.fields.map((field) => `    ${fieldText(field)}`),
    `    found ${runText(one.found)}`,
    ...(one.seen.id === one.found.id ? [] : [`    seen until ${runText(one.seen)}`]),
    `    ${endText(one)}`,
  ])
}

function endText({ corrected, gone }: DriftEpisode): string {
  if (corrected) return `corrected ${runText(corrected)}`
  return gone ? `gone ${runText(gone)}` : 'open'
}

export function historyObjects(episodes: readonly DriftEpisode[]): readonly object[] {
  return episodes.map((one) => ({ kind: 'drift history', ...one }))
}
