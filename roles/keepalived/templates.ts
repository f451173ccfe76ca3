import { template } from 'provision-ts'
import type { Weights } from './lib/weights.ts'

/** The data of keepalived.conf. */
export interface KeepalivedConf {
  /** The host's name in logs. */
  readonly name: string
  /** The network interface. */
  readonly device: string
  readonly address: string
  readonly vip: string
  readonly peers: readonly { readonly address: string }[]
  readonly priority: number
  readonly routerId: number
  readonly weights: Weights
  /** The path of the check. */
  readonly script: string
  /** The user that runs the check. */
  readonly user: string
  /** The path of the maintenance switch. */
  readonly maintenance: string
}

/** The data of the check script. */
export interface Check {
  readonly host: string
  readonly port: number
  readonly path: string
}

/** The data of the unit's drop-in. */
export interface DropIn {
  readonly vip: string
  readonly device: string
}

export const keepalivedConf = template<KeepalivedConf>(import.meta, 'keepalived.conf.ejs')
export const checkScript = template<Check>(import.meta, 'check.ejs')
export const dropInConf = template<DropIn>(import.meta, 'drop-in.conf.ejs')
