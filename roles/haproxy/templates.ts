import { template } from 'provision-ts'
import type { HaproxyServer } from './params.ts'

/** What haproxy.cfg is made from. */
export interface HaproxyConf {
  readonly domain: string
  /** The address that clients ask: the one that moves between the balancers, or `*` for all. */
  readonly listen: string
  readonly certificatePath: string
  /** Of the account of an ACME server, whose questions are answered with it. */
  readonly thumbprint: string | undefined
  /** For the key exchange, the best first. */
  readonly curves: string
  readonly servers: readonly HaproxyServer[]
  /** Who sees statistics and metrics, and where. */
  readonly admin: { readonly address: string; readonly from: readonly string[] } | undefined
  readonly maxConnections: number
  /** Changes with the configuration and the certificate. */
  readonly revision: string
}

/** What the unit's drop-in is made from. */
export interface DropIn {
  readonly openFiles: number
  readonly stateScript: string
}

/** What the script that keeps the servers' state over a reload is made from. */
export interface StateScript {
  readonly state: string
  readonly socket: string
  readonly config: string
}

export const dropInConf = template<DropIn>(import.meta, 'drop-in.conf.ejs')
export const stateScript = template<StateScript>(import.meta, 'haproxy-state.ejs')
export const haproxyCfg = template<HaproxyConf>(import.meta, 'haproxy.cfg.ejs')

/** Mozilla's list; the post-quantum one needs OpenSSL 3.5, which is in Debian 13. */
export function tlsCurves(release: number): string {
  return `${release >= 13 ? 'X25519MLKEM768:' : ''}X25519:prime256v1:secp384r1`
}
