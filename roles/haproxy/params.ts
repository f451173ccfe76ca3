import type { KeyPair } from 'provision-ts'

export interface HaproxyParams {
  /** The domain of the site. Plain HTTP is redirected to HTTPS on it. */
  readonly domain: string
  /** For the domain, with its chain, the leaf first. With a certificate of `acme`, haproxy also answers ACME challenges. */
  readonly certificate: KeyPair
  /** The web servers. Each answers GET /healthz with 200 while it is healthy. */
  readonly servers: readonly HaproxyServer[]
  /** The virtual IP address to listen on, with its prefix length: `198.18.0.10/24`. Another host may hold it. */
  readonly vip: string
  /** Listens on all addresses of the host, for forwarded ports or to test one balancer. @default false: on `vip` only */
  readonly everywhere?: boolean
  /** The host's own address on which statistics (`/stats`) and metrics (`/metrics`) are served at port 8404, and the networks that may read them. @default not served */
  readonly admin?: { readonly address: string; readonly from: readonly string[] }
  /** Maximum number of client connections; others wait. Each takes two file descriptors. @default 2000 */
  readonly maxConnections?: number
  /** Limits for one client, which is an IPv4 address or an IPv6 network of 64 bits. Raise them if clients share addresses. */
  readonly clientLimits?: ClientLimits
  /** Seconds until an answer of a web server must begin. @default 30 */
  readonly answerWithin?: number
  /** The beginnings of paths whose answers are long streams, such as server-sent events. @default none */
  readonly streams?: readonly string[]
  /** The HTML page of the answers 502, 503 and 504 that haproxy itself gives. @default a short page */
  readonly errorPage?: string
}

export interface ClientLimits {
  /** Open connections of one client; more are closed. 0 for no limit. @default 200 */
  readonly connections?: number
  /** Requests per second of one client, over ten seconds; more get the answer 429. 0 for no limit. @default 1000 */
  readonly requests?: number
}

export interface HaproxyServer {
  /** Its name in HAProxy: `web/<name>`. */
  readonly name: string
  readonly address: string
  readonly port: number
}

/** The port of statistics and metrics. */
export const ADMIN_PORT = 8404

/** The port on the loopback where haproxy reports its state to this host. */
export const LOCAL_PORT = { address: '127.0.0.1', port: 8405 } as const

export const LOCAL = 'http://127.0.0.1:8405'
