import type { Step } from 'provision-ts'
import { type Conflict, type Found, noConflicts } from '../../base/resources/conflicts.ts'
import { type Paths, PORT, type PostgresParams } from '../params.ts'

/**
 * Refuses a host with another program on the port, such as a container or a pooler, and a server that Patroni manages, unless the params
 * allow it. Other clusters are refused by the data directory.
 */
export function postgresConflicts(
  { config, unit }: Paths,
  {
    address,
    managed,
    leavesPatroni,
    manager,
  }: Pick<PostgresParams, 'address' | 'managed' | 'leavesPatroni' | 'manager'>,
): Step {
  const patroni = managed || leavesPatroni || manager === 'patroni'
  return noConflicts({
    role: 'postgres',
    config: `${config}/conf.d/90-provision.conf`,
    ...(!patroni && { others: [`${config}/postgresql.conf`], judge: managedByPatroni }),
    lines: patroni ? LISTENING : `${LISTENING}|${PATRONI}`,
    // As the settings of the role name them.
    ports: [
      { address: '127.0.0.1', port: PORT, configured: 'localhost' },
      { address, port: PORT, configured: address },
    ],
    own: [unit, 'patroni.service', 'postgres'],
  })
}

const LISTENING = '^listen_addresses[[:space:]=]'
/** A line of the files that Patroni writes. */
const PATRONI = 'overwritten by Patroni'

function managedByPatroni({ lines }: Found): readonly Conflict[] {
  return lines
    .filter(({ text }) => text.includes(PATRONI))
    .map(({ path }) => ({
      what: `Patroni manages the database server: it wrote ${path}`,
      next: "Set failover of db in the inventory: 'automatic' keeps Patroni, 'manual' removes it.",
    }))
}
