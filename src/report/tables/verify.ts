import type { Problem } from '../../model/problem.ts'
import type { Finding, Verified } from '../../model/verification.ts'
import { Secret } from '../../shell/secret.ts'
import { elapsed } from '../../text/duration.ts'
import { type Paint, showProblem } from '../problem.ts'
import { formatSource } from '../source-location.ts'
import { table } from '../table.ts'

/** A line for each check, the reason where one does not hold, the hosts that could not be reached, and a summary. */
export function verifyTable(verified: Verified, paint: Paint): string {
  const { unreachable } = verified
  const findings = groupBySubject(verified.findings)
  const last = findings.every(({ ms }) => ms === undefined) ? 'found' : 'took'
  const rows = findings.map(({ about, label, outcome, ms, said }, i) => [
    about === findings[i - 1]?.about ? '' : about,
    label,
    outcome,
    ms === undefined ? (said ?? '') : elapsed(ms),
  ])
  const [head = '', ...lines] = table([['who', 'what', 'result', last], ...rows], (cell, row, column) => {
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

/** A JSON object for each check and for each host that could not be reached, and one for all; secrets are masked. */
export function verifyJson({ findings, unreachable, hosts, ms }: Verified): readonly string[] {
  const counted = { passed: 0, failed: 0, unknown: 0 }
  for (const { outcome } of findings) counted[outcome]++
  return [
    ...findings.map((finding) => ({ kind: 'check', ...finding, problem: plainProblem(finding.problem) })),
    ...[...unreachable].map(([host, problem]) => ({
      kind: 'unreachable',
      host,
      problem: plainProblem(problem),
    })),
    { kind: 'end', hosts, ...counted, unreachable: [...unreachable.keys()], ms },
  ].map((line) =>
    JSON.stringify({ at: new Date().toISOString(), ...line }, (_key, value: unknown) =>
      typeof value === 'string' ? Secret.redact(value) : value,
    ),
  )
}

/** Those about the same host or group together, in the order in which each comes first. */
function groupBySubject(findings: readonly Finding[]): readonly Finding[] {
  const whom = [...new Set(findings.map(({ about }) => about))]
  return whom.flatMap((one) => findings.filter(({ about }) => about === one))
}

const COLOURS = { passed: 'green', failed: 'red', unknown: 'yellow' } as const

function reason(problem: Problem | undefined, paint: Paint): readonly string[] {
  if (!problem) return []
  const { message, details, next } = problem
  return [paint('bold', message), ...details, ...(next ? [paint('cyan', next)] : [])].map(
    (line) => `    ${Secret.redact(line)}`,
  )
}

function plainProblem(problem: Problem | undefined) {
  if (!problem) return undefined
  const { message, where, details, next } = problem
  return { message, where: where && formatSource(where), details, next }
}

/** The numbers of checks that hold, that failed and that are unknown. */
export function verifySummary({ findings, hosts, unreachable, ms }: Verified, paint: Paint): string {
  const all = `${findings.length} checks of ${hosts.length} ${hosts.length === 1 ? 'host' : 'hosts'}`
  const failed = findings.filter(({ outcome }) => outcome === 'failed').length
  const unknown = findings.filter(({ outcome }) => outcome === 'unknown').length
  const took = paint('dim', `(${elapsed(ms)})`)
  if (failed + unknown + unreachable.size === 0) return `${paint('green', `All passed: ${all}.`)} ${took}`
  const bad = [
    `${failed} failed`,
    unknown > 0 && `${unknown} unknown`,
    unreachable.size > 0 && `not reached: ${[...unreachable.keys()].join(', ')}`,
  ].filter((part) => part !== false)
  const colour = failed + unreachable.size > 0 ? 'red' : 'yellow'
  return `${paint(colour, `Of ${all}: ${bad.join(', ')}.`)} ${took}`
}
