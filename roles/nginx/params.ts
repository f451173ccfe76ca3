import type { Build } from 'provision-ts'
import type { Endpoint } from '../endpoint.ts'

export interface NginxParams {
  /** The name that clients ask for. */
  readonly domain: string
  /** The one address and port that it serves on. */
  readonly listen: Endpoint
  /** Worker processes. @default one for each core */
  readonly workers?: number
  /** The servers of the application, which get `/api/` and `/readyz`. */
  readonly upstreams: readonly Endpoint[]
  /**
   * A port of 127.0.0.1 where something spreads requests over them that knows better which of them are away, such as the role
   * upstream: they are then asked directly only while it is not there. @default they are
   */
  readonly through?: number
  /** Whose word on the client's address is taken (X-Forwarded-For). */
  readonly balancers: readonly { readonly address: string }[]
  /** The static files, with an index.html at the top. */
  readonly site: Build
  /**
   * Requests a second that one client may make of the application; ten times as many may come at once, and what is more is told
   * 429. @default no limit
   */
  readonly rate?: number
  /** What pages may load, as a Content-Security-Policy. @default their own origin's scripts, styles, images, fonts and answers */
  readonly contentSecurityPolicy?: string
}
