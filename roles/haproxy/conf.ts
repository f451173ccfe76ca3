import { createHash } from 'node:crypto'
import { template } from 'provision-ts'
import type { HaproxyServer } from './index.ts'

/** What haproxy.cfg is made from. */
export interface HaproxyConf {
  readonly domain: string
  /** The address that moves between the balancers, without its prefix length. */
  readonly address: string
  readonly certificatePath: string
  /** For the key exchange, the best first. */
  readonly curves: string
  readonly servers: readonly HaproxyServer[]
  /** Who sees statistics and metrics, and where. */
  readonly admin: { readonly address: string; readonly from: readonly string[] } | undefined
  readonly maxConnections: number
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
const haproxyCfg = template<HaproxyConf>(import.meta, 'haproxy.cfg.ejs')

export interface Configuration {
  readonly text: string
  /**
   * Changes with the configuration or the certificate; haproxy tells it on /revision. A reload that fails leaves the old
   * worker in service and is not told by systemctl: this tells the two apart.
   */
  readonly revision: string
}

export function configuration(
  data: Omit<HaproxyConf, 'revision' | 'curves'>,
  { certificate, release }: { readonly certificate: string; readonly release: number },
): Configuration {
  const all = { ...data, curves: curvesOf(release) }
  const revision = createHash('sha256')
    .update(haproxyCfg({ ...all, revision: '' }))
    .update(certificate)
    .digest('hex')
    .slice(0, 16)
  return { text: haproxyCfg({ ...all, revision }), revision }
}

/** Mozilla's list; the post-quantum one needs OpenSSL 3.5, which is in Debian 13. */
function curvesOf(release: number): string {
  return `${release >= 13 ? 'X25519MLKEM768:' : ''}X25519:prime256v1:secp384r1`
}
