import type { Host } from '../model/host.ts'
import type { Verified } from '../model/verification.ts'
import { Secret } from '../shell/secret.ts'
import type { Paint } from './problem.ts'
import { table } from './table.ts'
import { sentence } from './verified.ts'

/** Failures that are shown in full; of more, how many. */
const MOST = 10

/** The state of a site at a glance: a line a tier with what its checks say, then what does not hold. */
export function statusLines(verified: Verified, hosts: readonly Host[], paint: Paint): readonly string[] {
  const tiers = [...new Set(hosts.map(({ group }) => group))]
  const rows = tiers.map((tier) => {
    const own = hosts.filter(({ group, name }) => group === tier && verified.hosts.includes(name))
    const names = own.map(({ name }) => `${name}${markOf(name, verified)}`).join(' ')
    return [tier, names, saidOf(tier, hosts, verified).join('; ')]
  })
  const lines = table(
    rows.filter(([, names]) => names !== ''),
    (cell, _row, column) => (column === 0 ? paint('bold', cell) : cell),
  )
  const failed = failures(verified)
  return [
    sentence(verified, paint),
    ...lines.map((line) => `  ${line}`),
    ...failed.slice(0, MOST).map((line) => `  ${paint('red', '✗')} ${line}`),
    ...(failed.length > MOST ? [`  and ${failed.length - MOST} more: provision verify shows all`] : []),
  ].map((line) => Secret.redact(line))
}

/** What is otherwise than it was before, a line each. What nobody could find out has not changed. */
export function changes(before: Verified, now: Verified): readonly string[] {
  const was = new Map(before.findings.map((one) => [nameOf(one), one]))
  const lost = [...now.unreachable].filter(([host]) => !before.unreachable.has(host))
  const back = [...before.unreachable.keys()].filter((host) => !now.unreachable.has(host))
  return [
    ...lost.map(([, { message }]) => message),
    ...back.map((host) => `${host} is reached again`),
    ...now.findings.flatMap((one) => {
      const old = was.get(nameOf(one))
      if (one.outcome === 'failed' && old?.problem?.message !== one.problem?.message)
        return [`${nameOf(one)}: failed: ${one.problem?.message}`]
      if (one.outcome !== 'held') return []
      if (old?.outcome === 'failed') return [`${nameOf(one)}: holds again${one.said ? `: ${one.said}` : ''}`]
      return one.said !== undefined && old?.said !== undefined && settled(one.said) !== settled(old.said)
        ? [`${nameOf(one)}: ${one.said}; before: ${old.said}`]
        : []
    }),
  ].map((line) => Secret.redact(line))
}

/** A measure that wavers is no change. */
function settled(said: string): string {
  return said.replace(/\d+\.\d+/g, '')
}

function markOf(host: string, { findings, unreachable }: Verified): string {
  if (unreachable.has(host)) return '?'
  return findings.some(({ about, outcome }) => about === host && outcome === 'failed') ? '✗' : ''
}

/** What checks of a tier say, whether they are about the tier or about hosts of it. */
function saidOf(tier: string, hosts: readonly Host[], { findings }: Verified): readonly string[] {
  const names = hosts.filter(({ group }) => group === tier).map(({ name }) => name)
  return findings.flatMap(({ about, said }) =>
    said !== undefined && (about === tier || names.includes(about.split(', ')[0] ?? '')) ? [said] : [],
  )
}

function failures({ findings, unreachable }: Verified): readonly string[] {
  return [
    ...[...unreachable.values()].map(({ message }) => message),
    ...findings.flatMap((one) =>
      one.outcome === 'failed' ? [`${nameOf(one)}: ${one.problem?.message}`] : [],
    ),
  ]
}

function nameOf({ about, label }: { readonly about: string; readonly label: string }): string {
  return `${about} ${label}`
}
