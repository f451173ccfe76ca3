import { table } from '../../report/format.ts'
import { elapsed } from '../../shell/duration.ts'
import type { HostStatus } from '../index.ts'

/** A line a host, under a head. */
export function statusTable(hosts: readonly HostStatus[], now: number): string {
  const rows = hosts.map(({ name, address, power, faults, since, port }) => [
    name,
    address,
    [power, ...faults].join(', '),
    power === 'off' ? '' : elapsed(now - since),
    `127.0.0.1:${port}`,
  ])
  return table([['host', 'address', 'state', 'up for', 'ssh'], ...rows]).join('\n')
}
