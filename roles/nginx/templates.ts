import { template } from 'provision-ts'

export interface MainConf {
  readonly workers: number
}

export interface UpstreamConf {
  /** `address:port` */
  readonly upstreams: readonly string[]
  /** The one that is asked while it is there. */
  readonly first: string | undefined
}

export interface SiteConf {
  readonly domain: string
  readonly listen: string
  readonly balancers: readonly string[]
  readonly root: string
  readonly policy: string
  /** Requests a second of one client; 0 for any number. */
  readonly rate: number
  /** What `/healthz` tells, so that a probe knows that these files are in force. */
  readonly revision: string
}

export const mainConf = template<MainConf>(import.meta, 'nginx.conf.ejs')
export const upstreamConf = template<UpstreamConf>(import.meta, 'upstream-app.conf.ejs')
export const siteConf = template<SiteConf>(import.meta, 'site.conf.ejs')
/** What is wanted of the unit beside Debian's. */
export const unitDropIn = template<Record<never, never>>(import.meta, 'drop-in.conf.ejs')
