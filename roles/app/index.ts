import {
  type Build,
  directory,
  file,
  InvalidParams,
  link,
  markReleaseCurrent,
  pkg,
  pruneReleases,
  release,
  role,
  type Secret,
  type Step,
  service,
  sh,
  transaction,
  unit,
  user,
} from 'provision-ts'
import type { Endpoint } from '../endpoint.ts'
import { appConflicts } from './conflicts.ts'
import { readyOrWhy, restarted } from './ready.ts'
import { unitOf } from './unit.ts'

export { ready } from './ready.ts'

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
  }
}

/** A Node service under systemd, one release of several on the host, switched and taken back as one with its settings. */
export const app = role(
  'app',
  (params: AppParams) => {
    const { name = 'notes', release: built } = params
    const root = `/srv/${name}` as const
    return [
      appConflicts({ name, listen: params.listen, metrics: params.metrics }),
      pkg('nodejs', 'curl'),
      user(name, { home: root }),
      directory(`${root}/releases`),
      directory(`/etc/${name}`),
      release(`${root}/releases/${built.id}`, built),
      pruneReleases(root, { wanted: built.id }),
      inForce(params),
      markReleaseCurrent(root, built.id),
      service(name),
    ]
  },
  { debian: [12, 13], check: refuseUnfit },
)

/** The release, the unit and what it reads are one thing: one restart for all of them, and all come back when it does not get ready. */
function inForce(params: AppParams): Step {
  const { name = 'notes', release: built, listen, database } = params
  const server = `/srv/${name}/current/server.mjs`
  return transaction(
    `${name} ${built.id}`,
    [
      link(`/srv/${name}/current`, { target: `releases/${built.id}` }),
      unit(`${name}.service`, unitOf(params)),
      file(`/etc/${name}/authority.pem`, database.authority),
      file(`/etc/${name}/db-password`, database.password),
    ],
    {
      validate: sh`node --check ${server} && systemd-analyze verify --man=no ${`${name}.service`}`,
      activate: restarted(name, listen),
      probe: readyOrWhy(name, listen),
    },
  )
}

function refuseUnfit({ name = 'notes', databases, listen, metrics }: AppParams): void {
  const refused = (what: string, where: string, next: string) => new InvalidParams(what, { where, next })
  if (!/^[a-z][a-z0-9-]{0,30}$/.test(name))
    throw refused(
      `${JSON.stringify(name)} is no name of a user.`,
      'name',
      'Take small letters, digits and dashes.',
    )
  if (databases.length === 0)
    throw refused(`${name} has no database to ask.`, 'databases', 'Name every host that may be the primary.')
  if (metrics && metrics.port === listen.port && metrics.address === listen.address)
    throw refused(
      `${name} would serve and tell its metrics on one port.`,
      'metrics',
      'Give metrics a port of their own.',
    )
}
