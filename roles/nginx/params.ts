import type { Build } from 'provision-ts'
import type { Endpoint } from '../endpoint.ts'

export interface NginxParams {
  /** The domain of the site. */
  readonly domain: string
  /** The address and port to listen on. */
  readonly listen: Endpoint
  /** Worker processes. @default one per core */
  readonly workers?: number
  /** The application servers, which get `/api/` and `/readyz`. */
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
  /** The static files, with an index.html at the top. */
  readonly site: Build
  /** Requests per second and client to the application. Bursts of ten times as many pass; the rest gets 429. @default no limit */
  readonly rate?: number
  /** The Content-Security-Policy of pages. @default scripts, styles, images, fonts and requests of the same origin */
  readonly contentSecurityPolicy?: string
}
