import type { Build, Secret } from 'provision-ts'
import type { Endpoint } from '../endpoint.ts'

export interface AppParams {
  /** The name of the service, its user and its directories /srv/<name> and /etc/<name>. @default 'notes' */
  readonly name?: string
  /** The built service, with server.mjs at the top. */
  readonly release: Build
  /** The address and port to listen on. */
  readonly listen: Endpoint
  /** The address and port of metrics. @default no metrics */
  readonly metrics?: Endpoint
  /** All hosts that may be the primary, in any order. @default port 5432 */
  readonly databases: readonly { readonly address: string; readonly port?: number }[]
  /** The database, and the login to it. */
  readonly database: {
    readonly name: string
    readonly user: string
    /** The service gets it as a systemd credential, not in its environment. */
    readonly password: Secret
    /** The CA of the databases' certificates, as PEM. */
    readonly authority: string
    /** A file with the newest primary, see `roles/postgres`. The service uses no primary with older data. @default none */
    readonly record?: string
  }
}
