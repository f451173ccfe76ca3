import type { Build, Secret } from 'provision-ts'
import type { Endpoint } from '../endpoint.ts'

export interface AppParams {
  /** The name of the service, its user and its directories /srv/<name> and /etc/<name>. */
  readonly name: string
  /** The built application. */
  readonly release: Build
  /**
   * The program and its arguments. It runs in the directory of the release: `['node', 'server.mjs']`. `${PORT}`, `${HOST}` and the other
   * variables of the environment are replaced, but no secrets.
   */
  readonly start: readonly string[]
  /** The Debian packages that it needs. @default ['nodejs'] */
  readonly packages?: readonly string[]
  /** The address and port to listen on: `HOST` and `PORT`, and both as `LISTEN`. */
  readonly listen: Endpoint
  /** The path that answers with success when requests can be served. @default '/' */
  readonly ready?: string
  /** The address and port of metrics: `METRICS`. @default no metrics */
  readonly metrics?: Endpoint
  /** All hosts that may be the primary, in any order: `DATABASE_HOSTS`. @default port 5432 */
  readonly databases?: readonly { readonly address: string; readonly port?: number }[]
  /** The database, and the login to it: `DATABASE_NAME`, `DATABASE_USER`, `DATABASE_CA`, `DATABASE_RECORD`. @default none */
  readonly database?: {
    readonly name: string
    readonly user: string
    /** The service gets it as the systemd credential `db-password`, not in its environment. */
    readonly password: Secret
    /** The CA of the databases' certificates, as PEM. */
    readonly authority: string
    /** A file with the newest primary, see `roles/postgres`. The service uses no primary with older data. @default none */
    readonly record?: string
  }
  /** Further variables. `${PORT}` and the other variables of the role are replaced. @default none */
  readonly environment?: Readonly<Record<string, string>>
  /** Variables with secret values. They are in a file that only root can read. @default none */
  readonly secrets?: Readonly<Record<string, Secret>>
  /** Processes that share the port, which Node.js can do. @default one per core for Node.js, otherwise 1 */
  readonly processes?: number
  /** The limit of memory, as a size or a share of the host. @default '75%' */
  readonly memory?: string
  /** Seconds in which it becomes ready after a start. @default 30 */
  readonly startWithin?: number
  /** Seconds for open requests at a stop. @default 30 */
  readonly stopWithin?: number
  /** True if it has a directory for its own files: `/var/lib/<name>`, which is `STATE_DIRECTORY`. @default false: it can write no files */
  readonly stateDirectory?: boolean
  /** A command that runs once on each host before a release becomes active there. It must do nothing if there is nothing to migrate. @default none */
  readonly migrate?: readonly string[]
  /** Processes beside the service, with the same release and environment: `<name>-<worker>`. @default none */
  readonly workers?: Readonly<Record<string, Worker>>
  /** Commands at certain times, as systemd timers: `<name>-<job>`. @default none */
  readonly jobs?: Readonly<Record<string, Job>>
  /** False for a host that has the jobs and does not run them. @default true */
  readonly runsJobs?: boolean
}

export interface Worker {
  /** The program and its arguments. */
  readonly start: readonly string[]
}

export interface Job extends Worker {
  /** The time, in the format of systemd.time(7): `daily`, `Mon..Fri 02:30`, `*:0/15`. */
  readonly at: string
}

/** The units of an application that run all the time, the service first. */
export function runningUnits({ name, workers = {} }: Pick<AppParams, 'name' | 'workers'>): readonly string[] {
  return [name, ...Object.keys(workers).map((worker) => `${name}-${worker}`)]
}

/** The timers of its jobs. */
export function jobTimers({ name, jobs = {} }: Pick<AppParams, 'name' | 'jobs'>): readonly string[] {
  return Object.keys(jobs).map((job) => `${name}-${job}.timer`)
}
