import { InvalidParams, pkg, role, template } from 'provision-ts'
import { haproxyConflicts } from '../haproxy/conflicts.ts'
import { instance, LOCAL_PORT, PACKAGES } from '../haproxy/instance.ts'

export interface UpstreamParams {
  /** What the servers are together, and what operations call them: `<name>/<server>`. */
  readonly name: string
  /** Those that share the requests. */
  readonly servers: readonly UpstreamServer[]
  /** A path that each server answers with 200 while it is alive, whatever becomes of what is behind it. It is asked twice a second. */
  readonly path: string
  /** Of 127.0.0.1. @default 8406 */
  readonly port?: number
  /** Seconds for a server's answer to begin. @default 10 */
  readonly answerWithin?: number
}

export interface UpstreamServer {
  readonly name: string
  readonly address: string
  readonly port: number
}

/** What haproxy.cfg is made from. */
export interface UpstreamConf {
  readonly name: string
  readonly port: number
  readonly servers: readonly { readonly name: string; readonly at: string }[]
  readonly path: string
  readonly answerWithin: number
  readonly maxConnections: number
  readonly revision: string
}

/** The port of {@link upstream} on the host itself, unless told otherwise. */
export const UPSTREAM_PORT = 8406

/** Connections at one time. */
const MOST = 4_000

const haproxyCfg = template<UpstreamConf>(import.meta, 'haproxy.cfg.ejs')

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
      ...instance({ text: (revision) => haproxyCfg({ ...conf, revision }), maxConnections: MOST }),
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
