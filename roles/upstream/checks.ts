import type { Check, Host } from 'provision-ts'
import { runs } from '../base/checks.ts'
import { serversInService } from '../haproxy/checks.ts'
import type { UpstreamServer } from './params.ts'

/** Checks of the haproxy in front of a group of servers. @param name as in the params of the role */
export function upstreamChecks(
  host: Host,
  name: string,
  servers: readonly Pick<UpstreamServer, 'name'>[],
): readonly Check[] {
  return [runs(host, 'haproxy'), serversInService(host, name, servers)]
}
