import type { HostSummary, Summary } from '../model/event.ts'
import { elapsed } from '../text/duration.ts'
import type { Paint } from './problem.ts'

/** The last lines of a run: each host that is not simply as wanted, then all in one sentence. */
export function recap(summary: Summary, paint: Paint): string {
  const { hosts, mode, ms } = summary
  const width = Math.max(4, ...hosts.map(({ host }) => host.length))
  const broken = hosts.some(isUnfinished) || summary.interrupted
  const rows = hosts
    .filter((one) => broken || notable(one))
    .map((one) => `${one.host.padEnd(width)} ${row(one, mode, paint)}`)
  return [
    ...rows,
    `${sentence(summary, paint)} ${paint('dim', `(${elapsed(ms)}, ${trips(summary)})`)}`,
    ...continuation(summary),
  ].join('\n')
}

function isUnfinished({ failed, unreachable, skipped }: HostSummary): boolean {
  return failed + skipped > 0 || unreachable
}

/** The hosts on which a run did not reach its end. */
export function unfinishedHosts({ hosts }: Summary): readonly string[] {
  return hosts.filter(isUnfinished).map(({ host }) => host)
}

/** How to go on after a run that did not reach its end everywhere. */
function continuation(summary: Summary): readonly string[] {
  const left = unfinishedHosts(summary)
  if (left.length === 0 || summary.mode === 'check') return []
  const only = left.length < summary.hosts.length ? ` with ${left.join(', ')}` : ''
  return [`To go on${only}: provision resume. What is done is not done twice.`]
}

function notable({ changed, failed, unreachable, skipped, away }: HostSummary): boolean {
  return changed + failed + skipped > 0 || unreachable || away !== undefined
}

function row(
  { ok, changed, recheck, failed, unreachable, skipped, away }: HostSummary,
  mode: Summary['mode'],
  paint: Paint,
): string {
  if (unreachable && ok + changed === 0) return paint('red', 'unreachable')
  if (away !== undefined && ok + changed === 0) return paint('yellow', away)
  const parts = [
    `${ok} ok`,
    changed > 0 && paint('yellow', `${changed} ${mode === 'check' ? 'to change' : 'changed'}`),
    recheck > 0 && paint('dim', `${recheck} to read again`),
    failed > 0 && paint('red', 'failed'),
    unreachable && paint('red', 'lost'),
    skipped > 0 && paint('yellow', `${count(skipped, 'play')} skipped`),
    away !== undefined && paint('yellow', away),
  ]
  return parts.filter((part) => part !== false).join(', ')
}

function sentence({ hosts, mode, interrupted }: Summary, paint: Paint): string {
  const failed = hosts.filter(({ failed }) => failed > 0).length
  const unreachable = hosts.filter(({ unreachable }) => unreachable).length
  const changed = hosts.reduce((sum, one) => sum + one.changed, 0)
  const steps = hosts.reduce((sum, one) => sum + one.changed + one.ok + one.recheck, 0)
  const open = hosts.reduce((sum, one) => sum + one.open, 0)
  const recheck = hosts.reduce((sum, one) => sum + one.recheck, 0)
  const on = `${count(hosts.length, 'host')}, ${count(steps, 'step')}`
  const bad = [
    failed > 0 && `${count(failed, 'host')} failed`,
    unreachable > 0 && `${count(unreachable, 'host')} not reached`,
  ].filter((part) => part !== false)
  if (bad.length > 0) return paint('red', `${bad.join(', ')}, of ${on}; ${changed} changed.`)
  if (interrupted) return paint('yellow', `Stopped before its end: ${on}; ${changed} changed.`)
  if (changed === 0 && recheck > 0)
    return paint('yellow', `No step would change now; the run reads ${recheck} again after others: ${on}.`)
  if (changed === 0) return paint('green', `Nothing ${mode === 'check' ? 'would' : 'had to'} change: ${on}.`)
  if (mode === 'apply') return paint('green', `${count(changed, 'step')} changed: ${on}.`)
  const undecided = [
    open > 0 && `${open} that may turn out needless`,
    recheck > 0 && `${recheck} already in place`,
  ].filter((part) => part !== false)
  const decided = undecided.length > 0 ? ` (the run decides about those with ?: ${undecided.join(', ')})` : ''
  return paint('yellow', `${count(changed, 'step')} would change: ${on}${decided}.`)
}

function trips({ hosts, sent, received }: Summary): string {
  const most = Math.max(0, ...hosts.map((one) => one.trips))
  return `at most ${count(most, 'round trip')} a host, ${Math.ceil((sent + received) / 1024)} KiB`
}

function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`
}
