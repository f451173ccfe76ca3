import type { HostStatus } from '../lab/index.ts'
import { elapsed } from '../text/duration.ts'

/** A line a host, under a head. */
export function statusTable(hosts: readonly HostStatus[], now: number): string {
  const rows = hosts.map(({ name, address, power, faults, since, port }) => [
    name,
    address,
    [power, ...faults].join(', '),
    power === 'off' ? '' : elapsed(now - since),
    `127.0.0.1:${port}`,
  ])
  return table([['host', 'address', 'state', 'up for', 'ssh'], ...rows])
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  )
  return rows
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
