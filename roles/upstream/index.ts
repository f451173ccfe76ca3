import { InvalidParams, pkg, role } from 'provision-ts'
import { LOCAL_PORT } from '../haproxy/params.ts'
import { haproxyConflicts } from '../haproxy/resources/conflicts.ts'
import { haproxyInstance, PACKAGES } from '../haproxy/resources/instance.ts'
import { UPSTREAM_PORT, type UpstreamParams } from './params.ts'
import { haproxyCfg } from './templates.ts'

export { UPSTREAM_PORT, type UpstreamParams, type UpstreamServer } from './params.ts'

/** Connections at one time. */
const MOST = 4_000

/**
 * A haproxy of the host's own, before the servers that a program on it asks. Nginx alone finds out by failed requests which of
 * them are away; this asks each of them all the time, and takes one out of service for its maintenance.
 */
export const upstream = role(
  'upstream',
  ({ name, servers, path, port = UPSTREAM_PORT, answerWithin = 10 }: UpstreamParams) => {
    const conf = {
      ...{ name, port, path, answerWithin, maxConnections: MOST },
      servers: servers.map((server) => ({ name: server.name, at: `${server.address}:${server.port}` })),
    }
    return [
      haproxyConflicts({ role: 'upstream', listens: [{ address: '127.0.0.1', port }, LOCAL_PORT] }),
      pkg(...PACKAGES),
      ...haproxyInstance({ text: (revision) => haproxyCfg({ ...conf, revision }), maxConnections: MOST }),
    ]
  },
  { debian: [12, 13], check: refuseUnfit },
)

function refuseUnfit({ servers, name, path }: UpstreamParams): void {
  if (servers.length === 0)
    throw new InvalidParams(`There is no server of ${name}.`, {
      where: 'servers',
      next: 'Name at least one.',
    })
  const twice = servers.find((one, i) => servers.findIndex((other) => other.name === one.name) !== i)
  if (twice)
    throw new InvalidParams(`${name} has two servers of the name ${twice.name}.`, {
      where: 'servers',
      next: 'Give each a name of its own.',
    })
  if (!path.startsWith('/'))
    throw new InvalidParams(`${JSON.stringify(path)} is no path.`, {
      where: 'path',
      next: 'Begin it with a slash.',
    })
}
