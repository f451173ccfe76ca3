import { template } from 'provision-ts'

export interface MainConf {
  readonly workers: number
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
  readonly root: string
  readonly policy: string
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
