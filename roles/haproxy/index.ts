import {
  cidr,
  directory,
  file,
  type Host,
  http,
  InvalidParams,
  type KeyPair,
  type Probe,
  pkg,
  role,
  sysctl,
} from 'provision-ts'
import type { Endpoint } from '../endpoint.ts'
import { bundleOf } from './certificate.ts'
import { curvesOf, haproxyCfg } from './conf.ts'
import { haproxyConflicts } from './conflicts.ts'
import { instance, LOCAL, LOCAL_PORT, PACKAGES } from './instance.ts'

export interface HaproxyParams {
  /** The name that clients ask for. Requests over plain HTTP are sent to it by a redirect. */
  readonly domain: string
  /** For the domain, with the chain above it; the leaf comes first. That of `acme` lets haproxy answer the ACME server, too. */
  readonly certificate: KeyPair
  /** The web servers. Each has to answer GET /healthz with 200. */
  readonly servers: readonly HaproxyServer[]
  /** The address to listen on, with its prefix length: `198.18.0.10/24`. It need not be on this host. */
  readonly vip: string
  /**
   * Whether it answers at all addresses of the host: for a look at one balancer, and for ports that are forwarded to it.
   * @default false: at the address that moves, and nowhere else
   */
  readonly everywhere?: boolean
  /**
   * Where statistics (`/stats`) and metrics (`/metrics`) are shown to others than this host: at an address of its own, port 8404,
   * for these networks. @default to nobody else
   */
  readonly admin?: { readonly address: string; readonly from: readonly string[] }
  /** Connections from clients at one time; further ones wait. Each takes two descriptors. @default 2000 */
  readonly maxConnections?: number
}

export interface HaproxyServer {
  /** What operations call it: `web/<name>`. */
  readonly name: string
  readonly address: string
  readonly port: number
}

/** Where haproxy says that it is there; it answers on the host itself only. */
export const ALIVE = `${LOCAL}/alive`

/** The port of statistics and metrics, where they are shown. */
export const ADMIN_PORT = 8404

/** What has to hold on a balancer after its turn. */
export const alive = (_host?: Host): Probe => http(ALIVE)

/** True when haproxy has a server to send requests to. */
export const serving = (_host?: Host): Probe => http(`${LOCAL}/serving`)

/** Ends TLS at an address that moves between hosts, and spreads requests over the web servers. */
export const haproxy = role(
  'haproxy',
  (
    { domain, certificate, servers, vip, everywhere = false, admin, maxConnections = 2000 }: HaproxyParams,
    { facts },
  ) => {
    const address = vip.replace(/\/.*/, '')
    const certificatePath = `/etc/haproxy/certs/${domain}.pem` as const
    const { thumbprint } = certificate
    const listen = everywhere ? (address.includes(':') ? '::' : '*') : address
    const data = { domain, listen, certificatePath, thumbprint, servers, admin, maxConnections }
    return [
      haproxyConflicts({ role: 'haproxy', listens: listensOf(listen, admin), files: [certificatePath] }),
      pkg(...PACKAGES),
      sysctl('haproxy', { [`net.${address.includes(':') ? 'ipv6' : 'ipv4'}.ip_nonlocal_bind`]: 1 }),
      directory('/etc/haproxy/certs', { mode: '0700' }),
      ...instance({
        text: (revision) => haproxyCfg({ ...data, curves: curvesOf(facts.os.version), revision }),
        besides: certificate.certificate,
        files: [file(certificatePath, bundleOf(certificate, domain))],
        maxConnections,
        address,
      }),
    ]
  },
  { debian: [12, 13], check: refuseUnfit },
)

/** All addresses and ports of its configuration. */
function listensOf(address: string, admin: HaproxyParams['admin']): readonly Endpoint[] {
  const clients = [80, 443].map((port) => ({ address, port }))
  return [...clients, LOCAL_PORT, ...(admin ? [{ address: admin.address, port: ADMIN_PORT }] : [])]
}

function refuseUnfit({ servers, certificate, domain, admin }: HaproxyParams): void {
  bundleOf(certificate, domain)
  if (servers.length === 0)
    throw new InvalidParams('haproxy has no server to send requests to.', {
      where: 'servers',
      next: 'Name at least one web server.',
    })
  const twice = servers.find(({ name }, i) => servers.findIndex((other) => other.name === name) !== i)
  if (twice)
    throw new InvalidParams(`haproxy has two servers of the name ${twice.name}.`, {
      where: 'servers',
      next: 'Give each a name of its own.',
    })
  const wrong = admin?.from.find((one) => cidr.check(one) === undefined)
  if (wrong !== undefined)
    throw new InvalidParams(`${JSON.stringify(wrong)} is no network.`, {
      where: 'admin.from',
      next: 'Write it with the length of its prefix: 10.0.0.0/8.',
    })
}
