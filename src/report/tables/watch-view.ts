import { clearScreenDown, cursorTo, moveCursor } from 'node:readline'
import type { WriteStream } from 'node:tty'
import { stripVTControlCharacters } from 'node:util'
import type { Finding, Verified } from '../../model/check/verification.ts'
import type { Host } from '../../model/inventory/host.ts'
import { Secret } from '../../shell/secret.ts'
import { table } from '../format.ts'
import type { Paint } from '../problem.ts'
import { verifySummary } from './verify.ts'

/** More problems are counted, not listed. */
const MAX_PROBLEMS = 10

/** The current state of a site: a summary, a line for each tier with the values of its checks, then the failed and unknown checks. */
export function statusLines(verified: Verified, hosts: readonly Host[], paint: Paint): readonly string[] {
  const tiers = [...new Set(hosts.map(({ group }) => group))]
  const rows = tiers.map((tier) => {
    const own = hosts.filter(({ group, name }) => group === tier && verified.hosts.includes(name))
    const names = own.map(({ name }) => `${name}${markOf(name, verified)}`).join(' ')
    return [tier, names, valuesOf(tier, hosts, verified).join('; ')]
  })
  const lines = table(
    rows.filter(([, names]) => names !== ''),
    (cell, _row, column) => (column === 0 ? paint('bold', cell) : cell),
  )
  const bad = [
    ...failures(verified).map((line) => `${paint('red', '✗')} ${line}`),
    ...unknowns(verified).map((line) => `${paint('yellow', '?')} ${line}`),
  ]
  return [
    verifySummary(verified, paint),
    ...lines.map((line) => `  ${line}`),
    ...bad.slice(0, MAX_PROBLEMS).map((line) => `  ${line}`),
    ...(bad.length > MAX_PROBLEMS ? [`  and ${bad.length - MAX_PROBLEMS} more; provision verify shows all`] : []),
  ].map((line) => Secret.redact(line))
}

/** The differences between two rounds, a line each. An unreachable host has a single line for all its checks. */
export function changes(before: Verified, now: Verified): readonly string[] {
  const was = new Map(before.findings.map((one) => [nameOf(one), one]))
  const lost = [...now.unreachable].filter(([host]) => !before.unreachable.has(host))
  const back = [...before.unreachable.keys()].filter((host) => !now.unreachable.has(host))
  return [
    ...lost.map(([, { message }]) => message),
    ...back.map((host) => `${host} is reachable again`),
    ...now.findings.flatMap((one) => changeOf(one, was.get(nameOf(one)))),
  ].map((line) => Secret.redact(line))
}

function changeOf(one: Finding, old: Finding | undefined): readonly string[] {
  const name = nameOf(one)
  if (one.outcome === 'failed')
    return old?.outcome === 'failed' && old.problem?.message === one.problem?.message
      ? []
      : [`${name}: failed: ${one.problem?.message}`]
  // The message contains a measured time, which differs in each round.
  if (one.outcome === 'unknown')
    return one.problem && old?.outcome !== 'unknown' ? [`${name}: unknown: ${one.problem.message}`] : []
  if (old?.problem) return [`${name}: passes again${one.said ? `: ${one.said}` : ''}`]
  return one.said !== undefined && old?.said !== undefined && withoutDigits(one.said) !== withoutDigits(old.said)
    ? [`${name}: ${one.said} (before: ${old.said})`]
    : []
}

/** The state for the next comparison: a check of an unreachable host keeps its last known finding. */
export function lastKnown(before: Verified | undefined, now: Verified): Verified {
  if (!before) return now
  const was = new Map(before.findings.map((one) => [nameOf(one), one]))
  const findings = now.findings.map((one) =>
    one.outcome === 'unknown' && !one.problem ? (was.get(nameOf(one)) ?? one) : one,
  )
  return { ...now, findings }
}

/** Measured values differ from round to round. */
function withoutDigits(said: string): string {
  return said.replace(/\d+\.\d+/g, '')
}

function markOf(host: string, { findings, unreachable }: Verified): string {
  if (unreachable.has(host)) return '?'
  const outcomes = findings.flatMap(({ about, outcome }) => (about === host ? [outcome] : []))
  if (outcomes.includes('failed')) return '✗'
  return outcomes.includes('unknown') ? '?' : ''
}

/** The values of a tier's checks, of the tier as a whole and of its hosts. */
function valuesOf(tier: string, hosts: readonly Host[], { findings }: Verified): readonly string[] {
  const names = hosts.filter(({ group }) => group === tier).map(({ name }) => name)
  return findings.flatMap(({ about, said }) =>
    said !== undefined && (about === tier || names.includes(about.split(', ')[0] ?? '')) ? [said] : [],
  )
}

function failures({ findings, unreachable }: Verified): readonly string[] {
  return [
    ...[...unreachable.values()].map(({ message }) => message),
    ...findings.flatMap((one) => (one.outcome === 'failed' ? [`${nameOf(one)}: ${one.problem?.message}`] : [])),
  ]
}

function unknowns({ findings }: Verified): readonly string[] {
  return findings.flatMap((one) =>
    one.outcome === 'unknown' && one.problem ? [`${nameOf(one)}: unknown: ${one.problem.message}`] : [],
  )
}

function nameOf({ about, label }: { readonly about: string; readonly label: string }): string {
  return `${about} ${label}`
}

/** Redraws lines of a terminal in place. Cuts them to the size of the terminal: lines that scroll away cannot be redrawn. */
export class Screen {
  readonly #stream: WriteStream
  #drawn = 0

  constructor(stream: WriteStream) {
    this.#stream = stream
  }

  draw(lines: readonly string[]): void {
    // A terminal of unknown size reports 0.
    const columns = this.#stream.columns || 80
    const rows = this.#stream.rows || 24
    const shown = lines.slice(0, rows - 1).map((line) => cut(line, columns))
    if (this.#drawn > 0) {
      // Typed characters are echoed and move the cursor to the right.
      cursorTo(this.#stream, 0)
      moveCursor(this.#stream, 0, -Math.min(this.#drawn, rows - 1))
      clearScreenDown(this.#stream)
    }
    this.#stream.write(shown.map((line) => `${line}\n`).join(''))
    this.#drawn = shown.length
  }
}

/** Colours take no columns; a line that is cut loses them. */
function cut(line: string, columns: number): string {
  const bare = stripVTControlCharacters(line)
  return bare.length < columns ? line : `${bare.slice(0, columns - 2)}…`
}
