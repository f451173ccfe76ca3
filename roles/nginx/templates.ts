import { template } from 'provision-ts'

export interface MainConf {
  readonly workers: number
  readonly bodyLimit: string
}

export interface UpstreamConf {
  /** `address:port` */
  readonly upstreams: readonly string[]
  /** The local load balancer, used while it answers. */
  readonly first: string | undefined
}

export interface SiteConf {
  readonly domain: string
  readonly listen: string
  readonly balancers: readonly string[]
  /** The directory of the static files; undefined without them. */
  readonly root: string | undefined
  /** Undefined for the policy of the application. */
  readonly policy: string | undefined
  /** The beginnings of the paths that the application answers. */
  readonly paths: readonly string[]
  /** The path of readiness; undefined if it is one of those paths. */
  readonly ready: string | undefined
  readonly websockets: boolean
  readonly streams: readonly string[]
  /** A pattern of the URIs that are no files. */
  readonly uncached: string
  /** Seconds. */
  readonly readTimeout: number
  /** Requests per second and client; 0 for no limit. */
  readonly rate: number
  /** The port on 127.0.0.1 for the state of nginx. */
  readonly status: number | undefined
  /** The answer of `/healthz`, so that a probe can see that these files are active. */
  readonly revision: string
}

export const mainConf = template<MainConf>(import.meta, 'nginx.conf.ejs')
export const upstreamConf = template<UpstreamConf>(import.meta, 'upstream-app.conf.ejs')
export const siteConf = template<SiteConf>(import.meta, 'site.conf.ejs')
/** The drop-in of Debian's unit. */
export const unitDropIn = template<Record<never, never>>(import.meta, 'drop-in.conf.ejs')
