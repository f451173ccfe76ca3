import type { HostSummary, Summary } from '../model/event.ts'
import { elapsed } from '../shell/duration.ts'
import { count, groupEqual, shortList } from './format.ts'
import type { Paint } from './problem.ts'

/** More hosts than these have one row for all that are equal. */
const MAX_ROWS = 20

/** The names of a row of equal hosts. */
const MAX_NAMES = 4

/** The end of a run: a row for each host with changes or failures, then a summary. Equal rows of many hosts are one row. */
export function recap(summary: Summary, paint: Paint): string {
  const { hosts, mode, ms } = summary
  const incomplete = hosts.some(isUnfinished) || summary.interrupted
  const shown = hosts.filter((one) => incomplete || isNotable(one))
  const rows = shown.map((one) => ({ hosts: one.host, text: hostRow(one, mode, paint) }))
  const folded = groupEqual(rows, ({ text }) => text).map((equal) => ({
    hosts: shortList(
      equal.map((one) => one.hosts),
      MAX_NAMES,
    ),
    text: equal[0].text,
  }))
  const own = rows.length > MAX_ROWS ? folded : rows
  const width = own.reduce((most, one) => Math.max(most, one.hosts.length), 4)
  return [
    ...own.map((one) => `${one.hosts.padEnd(width)} ${one.text}`),
    `${summaryLine(summary, paint)}${allowedNote(summary, paint)} ${paint('dim', `(${elapsed(ms)}, ${traffic(summary)})`)}`,
    ...resumeHint(summary),
  ].join('\n')
}

/** The hosts that failed, were unreachable or were skipped after a failure. */
export function unfinishedHosts({ hosts }: Summary): readonly string[] {
  return hosts.filter(isUnfinished).map(({ host }) => host)
}

function isUnfinished({ failed, unreachable, skipped }: HostSummary): boolean {
  return failed + skipped > 0 || unreachable
}

function isNotable(host: HostSummary): boolean {
  return isUnfinished(host) || host.changed > 0 || host.allowed !== undefined || host.excluded !== undefined
}

function allowedNote({ hosts }: Summary, paint: Paint): string {
  const sum = hosts.reduce((total, { allowed = 0 }) => total + allowed, 0)
  return sum === 0 ? '' : paint('yellow', ` ${count(sum, 'allowed failure')}.`)
}

function resumeHint(summary: Summary): readonly string[] {
  const left = unfinishedHosts(summary)
  if (left.length === 0 || summary.mode === 'plan' || summary.refused) return []
  const names = left.length > MAX_ROWS ? shortList(left, MAX_NAMES) : left.join(', ')
  const only = left.length < summary.hosts.length ? ` with ${names}` : ''
  return [`To continue${only}: provision resume. Finished steps are not repeated.`]
}

function hostRow(
  { ok, changed, deferred, failed, allowed = 0, unreachable, skipped, excluded }: HostSummary,
  mode: Summary['mode'],
  paint: Paint,
): string {
  const untouched = ok + changed === 0
  if (unreachable && untouched) return paint('red', 'unreachable')
  if (excluded !== undefined && untouched) return paint('yellow', `skipped: ${excluded}`)
  const parts = [
    `${ok} ok`,
    changed > 0 && paint('yellow', `${changed} ${mode === 'plan' ? 'to change' : 'changed'}`),
    deferred > 0 && paint('dim', `${deferred} known after apply`),
    failed > 0 && paint('red', 'failed'),
    allowed > 0 && paint('yellow', count(allowed, 'allowed failure')),
    unreachable && paint('red', 'unreachable'),
    skipped > 0 && paint('yellow', `${count(skipped, 'play')} skipped`),
    excluded !== undefined && paint('yellow', `skipped: ${excluded}`),
  ]
  return parts.filter((part) => part !== false).join(', ')
}

function summaryLine({ hosts, mode, interrupted, refused }: Summary, paint: Paint): string {
  const sum = (of: (host: HostSummary) => number) => hosts.reduce((total, one) => total + of(one), 0)
  const failed = sum((one) => (one.failed > 0 ? 1 : 0))
  const unreachable = sum((one) => (one.unreachable ? 1 : 0))
  const [changed, tentative, deferred] = [
    sum((one) => one.changed),
    sum((one) => one.tentative),
    sum((one) => one.deferred),
  ]
  const steps = count(changed + deferred + sum((one) => one.ok), 'step')
  const on = `on ${count(hosts.length, 'host')}`
  const bad = [
    failed > 0 && `${count(failed, 'host')} failed`,
    unreachable > 0 && `${count(unreachable, 'host')} unreachable`,
  ].filter((part) => part !== false)
  if (refused) {
    const would = mode === 'plan' ? `; ${changed} of ${steps} would change ${on}` : ''
    return paint('red', `Refused by policies: nothing was changed${would}.`)
  }
  if (bad.length > 0) return paint('red', `${bad.join(', ')}; ${changed} of ${steps} changed ${on}.`)
  if (interrupted) return paint('yellow', `Interrupted; ${changed} of ${steps} changed ${on}.`)
  if (changed === 0 && deferred > 0)
    return paint('yellow', `No changes now: ${steps} ok ${on}, ${deferred} of them known after apply.`)
  if (changed === 0) return paint('green', `No changes: ${steps} ok ${on}.`)
  if (mode === 'apply') return paint('green', `${changed} of ${steps} changed ${on}.`)
  const notes = [tentative > 0 && `${tentative} to change`, deferred > 0 && `${deferred} ok now`]
  const known = notes.filter((part) => part !== false).join(', ')
  const note = known === '' ? '' : ` (with ?, known after apply: ${known})`
  return paint('yellow', `${changed} of ${steps} would change ${on}${note}.`)
}

function traffic({ hosts, sent, received }: Summary): string {
  const most = hosts.reduce((max, one) => Math.max(max, one.trips), 0)
  return `at most ${count(most, 'round trip')} per host, ${Math.ceil((sent + received) / 1024)} KiB`
}
