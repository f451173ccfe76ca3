import {
  directory,
  file,
  InvalidParams,
  link,
  markReleaseCurrent,
  pkg,
  pruneReleases,
  release,
  role,
  type Step,
  service,
  sh,
  transaction,
  unit,
  user,
} from 'provision-ts'
import { restartApp, startupProbe } from './lib/readiness.ts'
import type { AppParams } from './params.ts'
import { appConflicts } from './resources/conflicts.ts'
import { renderUnit } from './templates.ts'

export { appReadiness } from './lib/readiness.ts'
export type { AppParams } from './params.ts'

/** A Node.js service under systemd. Its release, unit and settings change together, and are rolled back together. */
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
      activeRelease(params),
      markReleaseCurrent(root, built.id),
      service(name),
    ]
  },
  { os: ['debian 12', 'debian 13'], check: checkParams },
)

/** Release, unit, CA and password in one transaction: one restart, and a rollback of all if the service does not become ready. */
function activeRelease(params: AppParams): Step {
  const { name = 'notes', release: built, listen, database } = params
  const server = `/srv/${name}/current/server.mjs`
  return transaction(
    `${name} ${built.id}`,
    [
      link(`/srv/${name}/current`, { target: `releases/${built.id}` }),
      unit(`${name}.service`, renderUnit(params)),
      file(`/etc/${name}/authority.pem`, database.authority),
      file(`/etc/${name}/db-password`, database.password),
    ],
    {
      validate: sh`node --check ${server} && systemd-analyze verify --man=no ${`${name}.service`}`,
      activate: restartApp(name, listen),
      probe: startupProbe(name, listen),
    },
  )
}

function checkParams({ name = 'notes', databases, listen, metrics }: AppParams): void {
  const refused = (what: string, where: string, next: string) => new InvalidParams(what, { where, next })
  if (!/^[a-z][a-z0-9-]{0,30}$/.test(name))
    throw refused(
      `${JSON.stringify(name)} is not a valid user name.`,
      'name',
      'Use lower-case letters, digits and dashes.',
    )
  if (databases.length === 0)
    throw refused(`${name} has no databases.`, 'databases', 'Add all hosts that may be the primary.')
  if (metrics && metrics.port === listen.port && metrics.address === listen.address)
    throw refused(
      `${name} cannot use the same port for requests and metrics.`,
      'metrics',
      'Use another port for metrics.',
    )
}
