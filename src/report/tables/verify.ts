import type { Finding, Verified } from '../../model/check/verification.ts'
import type { Problem } from '../../model/problem.ts'
import { elapsed } from '../../shell/duration.ts'
import { Secret } from '../../shell/secret.ts'
import { count, table } from '../format.ts'
import { type Paint, showProblem } from '../problem.ts'
import { jsonLine } from '../reporter.ts'

/** A row for each check, with the reason where it failed; then the unreachable hosts and a summary. */
export function verifyTable(verified: Verified, paint: Paint): string {
  const { unreachable } = verified
  const findings = groupBySubject(verified.findings)
  const last = findings.every(({ ms }) => ms === undefined) ? 'value' : 'time'
  const rows = findings.map(({ about, label, outcome, ms, said }, i) => [
    about === findings[i - 1]?.about ? '' : about,
    label,
    outcome,
    ms === undefined ? (said ?? '') : elapsed(ms),
  ])
  const [head = '', ...lines] = table([['target', 'check', 'result', last], ...rows], (cell, row, column) => {
    if (row === 0) return paint('dim', cell)
    const outcome = findings[row - 1]?.outcome
    return column === 2 && outcome ? paint(COLOURS[outcome], cell) : cell
  })
  return [
    head,
    ...lines.flatMap((line, i) => [line, ...reason(findings[i]?.problem, paint)]),
    ...[...unreachable.values()].map((problem) => showProblem(problem, paint)),
    verifySummary(verified, paint),
  ].join('\n')
}

/** A JSON object for each check and each unreachable host, then one for the whole; secrets are masked. */
export function verifyJson({ findings, unreachable, hosts, ms }: Verified): readonly string[] {
  const counted = { passed: 0, failed: 0, unknown: 0 }
  for (const { outcome } of findings) counted[outcome]++
  return [
    ...findings.map((finding) => ({ kind: 'check', ...finding })),
    ...[...unreachable].map(([host, problem]) => ({ kind: 'unreachable', host, problem })),
    { kind: 'end', hosts, ...counted, unreachable: [...unreachable.keys()], ms },
  ].map(jsonLine)
}

/** The findings about the same host or group together, in the order of the first of each. */
function groupBySubject(findings: readonly Finding[]): readonly Finding[] {
  const subjects = [...new Set(findings.map(({ about }) => about))]
  return subjects.flatMap((one) => findings.filter(({ about }) => about === one))
}

const COLOURS = { passed: 'green', failed: 'red', unknown: 'yellow' } as const

function reason(problem: Problem | undefined, paint: Paint): readonly string[] {
  if (!problem) return []
  const { message, details, next } = problem
  return [paint('bold', message), ...details, ...(next ? [paint('cyan', next)] : [])].map(
    (line) => `    ${Secret.redact(line)}`,
  )
}

/** `12 checks on 3 hosts: 11 passed, 1 failed. (1.20 s)` */
export function verifySummary({ findings, hosts, unreachable, ms }: Verified, paint: Paint): string {
  const number = (wanted: Finding['outcome']) => findings.filter(({ outcome }) => outcome === wanted).length
  const [failed, unknown] = [number('failed'), number('unknown')]
  const parts = [
    `${number('passed')} passed`,
    failed > 0 && `${failed} failed`,
    unknown > 0 && `${unknown} unknown`,
    unreachable.size > 0 && `unreachable: ${[...unreachable.keys()].join(', ')}`,
  ].filter((part) => part !== false)
  const colour = failed + unreachable.size > 0 ? 'red' : unknown > 0 ? 'yellow' : 'green'
  const checks = `${count(findings.length, 'check')} on ${count(hosts.length, 'host')}`
  return `${paint(colour, `${checks}: ${parts.join(', ')}.`)} ${paint('dim', `(${elapsed(ms)})`)}`
}
