import type { KeyPair } from 'provision-ts'

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

/** The port of statistics and metrics. */
export const ADMIN_PORT = 8404

/** The port on the loopback where haproxy reports its state to this host. */
export const LOCAL_PORT = { address: '127.0.0.1', port: 8405 } as const

export const LOCAL = 'http://127.0.0.1:8405'
