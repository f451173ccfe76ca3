import type { Build, Secret } from 'provision-ts'
import type { Endpoint } from '../endpoint.ts'

export interface AppParams {
  /** Of the service, its user and its directories /srv/<name> and /etc/<name>. @default 'notes' */
  readonly name?: string
  /** The built service, with server.mjs at the top. */
  readonly release: Build
  /** The one address and port that it serves on. */
  readonly listen: Endpoint
  /** Where it tells its metrics; nowhere unless given. */
  readonly metrics?: Endpoint
  /** Every host that may be the primary, in any order. @default port 5432 */
  readonly databases: readonly { readonly address: string; readonly port?: number }[]
  /** What it asks for there, and as whom. */
  readonly database: {
    readonly name: string
    readonly user: string
    /** It reaches the service as a credential of systemd, which is in no environment. */
    readonly password: Secret
    /** Who signed the databases' certificates, as PEM. */
    readonly authority: string
    /** File that names the newest primary, see `roles/postgres`. The service uses no primary whose data are older. @default none */
    readonly record?: string
  }
}
