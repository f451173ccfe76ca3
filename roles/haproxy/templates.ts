import { compareVersions, template } from 'provision-ts'
import type { ClientLimits, HaproxyServer } from './params.ts'

/** The data of haproxy.cfg. */
export interface HaproxyConf {
  readonly domain: string
  /** The address to listen on: the virtual IP address, or `*` for all. */
  readonly listen: string
  readonly certificatePath: string
  /** Thumbprint of the ACME account, for answers to challenges. */
  readonly thumbprint: string | undefined
  /** Curves for the key exchange, the best first. */
  readonly curves: string
  readonly servers: readonly HaproxyServer[]
  /** The address of statistics and metrics, and the networks that may read them. */
  readonly admin: { readonly address: string; readonly from: readonly string[] } | undefined
  readonly maxConnections: number
  /** Maximum number of connections of plain HTTP. */
  readonly plainConnections: number
  readonly clientLimits: Required<ClientLimits>
  /** Seconds. */
  readonly answerWithin: number
  readonly streams: readonly string[]
  /** The path of the HTML page for errors of haproxy itself. */
  readonly errorPage: string
  /** A hash of the configuration and the certificate. */
  readonly revision: string
}

/** The data of the unit's drop-in. */
export interface DropIn {
  readonly openFiles: number
  readonly stateScript: string
}

/** The data of the script that keeps the state of servers over a reload. */
export interface StateScript {
  readonly state: string
  readonly socket: string
  readonly config: string
}

export const dropInConf = template<DropIn>(import.meta, 'drop-in.conf.ejs')
export const stateScript = template<StateScript>(import.meta, 'haproxy-state.ejs')
export const haproxyCfg = template<HaproxyConf>(import.meta, 'haproxy.cfg.ejs')

/** Mozilla's list. The post-quantum curve needs OpenSSL 3.5, which Debian 13 has. */
export function tlsCurves(release: string): string {
  return `${compareVersions(release, '13') >= 0 ? 'X25519MLKEM768:' : ''}X25519:prime256v1:secp384r1`
}
