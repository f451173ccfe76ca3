import type { Step } from 'provision-ts'
import { noConflicts } from '../../base/resources/conflicts.ts'
import { type Paths, PORT } from '../params.ts'

/** Refuses a host with another program on the port, such as a container or a pooler. Other clusters are refused by the data directory. */
export function postgresConflicts({ config, unit }: Paths, address: string): Step {
  return noConflicts({
    role: 'postgres',
    config: `${config}/conf.d/90-provision.conf`,
    lines: '^listen_addresses[[:space:]=]',
    // As the settings of the role name them.
    ports: [
      { address: '127.0.0.1', port: PORT, configured: 'localhost' },
      { address, port: PORT, configured: address },
    ],
    own: [unit, 'patroni.service', 'postgres'],
  })
}
