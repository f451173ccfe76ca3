import type { Build } from 'provision-ts'
import type { Endpoint } from '../endpoint.ts'

export interface NginxParams {
  /** The domain of the site. */
  readonly domain: string
  /** The address and port to listen on. */
  readonly listen: Endpoint
  /** Worker processes. @default one per core */
  readonly workers?: number
  /** The application servers. */
  readonly upstreams: readonly Endpoint[]
  /**
   * A port on 127.0.0.1 of a load balancer for the application servers, such as the role upstream. nginx uses the servers directly
   * only while it does not answer. @default the servers are used directly
   */
  readonly through?: number
  /** The port on 127.0.0.1 at which nginx reports its state, for the exporter of the role monitoring. @default not reported */
  readonly status?: number
  /** Hosts whose `X-Forwarded-For` is trusted for the client's address. */
  readonly balancers: readonly { readonly address: string }[]
  /** The static files, with an index.html at the top. @default none: the application answers all requests */
  readonly site?: Build
  /** The beginnings of the paths that the application answers. @default `/`; with `site` `/api/` */
  readonly paths?: readonly string[]
  /** The path of readiness of the application, which it also answers. @default one of `paths` */
  readonly ready?: string
  /** True to forward WebSockets. @default false */
  readonly websockets?: boolean
  /** The beginnings of paths whose answers are long streams, such as server-sent events: they are not buffered. @default none */
  readonly streams?: readonly string[]
  /** The maximum size of a request. @default '1m' */
  readonly bodyLimit?: string
  /** Seconds until an answer of the application must begin. @default 10 */
  readonly answerWithin?: number
  /** Requests per second and client to the application. Bursts of ten times as many pass; the rest gets 429. @default no limit */
  readonly rate?: number
  /** The Content-Security-Policy of pages. @default with `site`: scripts, styles, images, fonts and requests of the same origin; otherwise none */
  readonly contentSecurityPolicy?: string
}
