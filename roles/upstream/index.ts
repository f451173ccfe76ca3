import { InvalidParams, pkg, role } from 'provision-ts'
import { LOCAL_PORT } from '../haproxy/params.ts'
import { haproxyConflicts } from '../haproxy/resources/conflicts.ts'
import { haproxyInstance, PACKAGES } from '../haproxy/resources/instance.ts'
import { UPSTREAM_PORT, type UpstreamParams } from './params.ts'
import { haproxyCfg } from './templates.ts'

export { UPSTREAM_PORT, type UpstreamParams, type UpstreamServer } from './params.ts'

/** Maximum number of connections. */
const MAX_CONNECTIONS = 4_000

/**
 * A local haproxy in front of the servers that a program on the host uses. nginx alone notices a failed server only by failed requests.
 * haproxy checks each server all the time, and can drain one for maintenance.
 */
export const upstream = role(
  'upstream',
  ({
    name,
    servers,
    path,
    port = UPSTREAM_PORT,
    answerWithin = 10,
    websockets = false,
    streams = [],
  }: UpstreamParams) => {
    const conf = {
      ...{ name, port, path, answerWithin, websockets, streams, maxConnections: MAX_CONNECTIONS },
      servers: servers.map((server) => ({ name: server.name, at: `${server.address}:${server.port}` })),
    }
    return [
      haproxyConflicts({ role: 'upstream', listens: [{ address: '127.0.0.1', port }, LOCAL_PORT] }),
      pkg(...PACKAGES),
      ...haproxyInstance({
        text: (revision) => haproxyCfg({ ...conf, revision }),
        maxConnections: MAX_CONNECTIONS,
      }),
    ]
  },
  { os: ['debian 12', 'debian 13'], check: checkParams },
)

function checkParams({ servers, name, path }: UpstreamParams): void {
  if (servers.length === 0)
    throw new InvalidParams(`${name} has no servers.`, {
      where: 'servers',
      next: 'Add at least one.',
    })
  const twice = servers.find((one, i) => servers.findIndex((other) => other.name === one.name) !== i)
  if (twice)
    throw new InvalidParams(`${name} has two servers with the name ${twice.name}.`, {
      where: 'servers',
      next: 'Give each server a unique name.',
    })
  if (!path.startsWith('/'))
    throw new InvalidParams(`${JSON.stringify(path)} is not a path.`, {
      where: 'path',
      next: 'Start it with a slash.',
    })
}
