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
  transaction,
  unit,
  user,
} from 'provision-ts'
import { restartApp, startupProbe, validation } from './lib/readiness.ts'
import { type AppParams, jobTimers, runningUnits } from './params.ts'
import { appConflicts } from './resources/conflicts.ts'
import { PROCESSES, processesScript, renderTimer, renderUnit, scriptOf, secretsFile } from './templates.ts'

export { appReadiness } from './lib/readiness.ts'
export { type AppParams, jobTimers, runningUnits } from './params.ts'

/** A service under systemd. Its release, units and settings change together, and are rolled back together. */
export const app = role(
  'app',
  (params: AppParams, { facts }) => {
    const { name, release: built, packages: [first = 'curl', ...packages] = ['nodejs'], runsJobs = true } = params
    const root = `/srv/${name}` as const
    const processes = params.processes ?? (scriptOf(params.start) === undefined ? 1 : facts.cpus)
    return [
      appConflicts({ name, listen: params.listen, metrics: params.metrics }),
      pkg(first, ...packages, 'curl'),
      user(name, { home: root }),
      directory(`${root}/releases`),
      directory(`/etc/${name}`),
      processes > 1 && directory('/usr/local/lib/provision'),
      release(`${root}/releases/${built.id}`, built),
      pruneReleases(root, { wanted: built.id }),
      activeRelease(params, processes),
      markReleaseCurrent(root, built.id),
      runningUnits(params).map((one) => service(one)),
      jobTimers(params).map((timer) => service(timer, runsJobs ? {} : { state: 'stopped' })),
    ]
  },
  { os: ['debian 12', 'debian 13'], check: checkParams },
)

/** Release, units, CA and secrets in one transaction: one restart, and a rollback of all if the service does not become ready. */
function activeRelease(params: AppParams, processes: number): Step {
  const { name, release: built, listen, start, ready = '/', startWithin = 30, migrate } = params
  const { database, secrets = {}, workers = {}, jobs = {} } = params
  const current = `/srv/${name}/current`
  return transaction(
    `${name} ${built.id}`,
    [
      link(`/srv/${name}/current`, { target: `releases/${built.id}` }),
      ...(processes > 1 ? [file(PROCESSES, processesScript({}))] : []),
      unit(`${name}.service`, renderUnit(params, { start, processes })),
      ...Object.entries(workers).map(([worker, { start: words }]) =>
        unit(`${name}-${worker}.service`, renderUnit(params, { start: words, description: `${name} ${worker}` })),
      ),
      ...Object.entries(jobs).flatMap(([job, { start: words, at }]) => [
        unit(`${name}-${job}.service`, renderUnit(params, { start: words, description: `${name} ${job}`, once: true })),
        unit(`${name}-${job}.timer`, renderTimer(`${name} ${job}`, at)),
      ]),
      ...(migrate
        ? [
            unit(
              `${name}-migrate.service`,
              renderUnit(params, {
                ...{ start: migrate, description: `${name} migrate`, once: true },
                directory: `/srv/${name}/releases/${built.id}`,
              }),
            ),
          ]
        : []),
      ...(database
        ? [file(`/etc/${name}/authority.pem`, database.authority), file(`/etc/${name}/db-password`, database.password)]
        : []),
      ...(Object.keys(secrets).length > 0 ? [file(`/etc/${name}/secrets`, secretsFile(secrets))] : []),
    ],
    {
      validate: validation(params, current),
      activate: restartApp({ units: runningUnits(params), listen, ready, migrates: migrate !== undefined }),
      probe: startupProbe({ name, listen, ready, seconds: startWithin }),
      ...(migrate && { timeout: '30m' }),
    },
  )
}

function checkParams(params: AppParams): void {
  const { name, start, database, databases = [], listen, metrics, processes = 1, workers = {}, jobs = {} } = params
  const refused = (what: string, where: string, next: string) => new InvalidParams(what, { where, next })
  if (!/^[a-z][a-z0-9-]{0,30}$/.test(name))
    throw refused(
      `${JSON.stringify(name)} is not a valid user name.`,
      'name',
      'Use lower-case letters, digits and dashes.',
    )
  if (start.length === 0)
    throw refused(`${name} has no command.`, 'start', "Write the program and its arguments: ['node', 'server.mjs'].")
  const twice = Object.keys(workers).find((worker) => worker in jobs || worker === 'migrate')
  if (twice !== undefined || 'migrate' in jobs)
    throw refused(
      `${name} has two units with the name ${name}-${twice ?? 'migrate'}.`,
      'workers',
      'Give workers and jobs different names. The name migrate is for the migration.',
    )
  if (processes > 1 && scriptOf(start) === undefined)
    throw refused(
      `${name} cannot have ${processes} processes on one port, because it is not started with node.`,
      'processes',
      'Set 1, and let the program start its own processes.',
    )
  if (database && databases.length === 0)
    throw refused(`${name} has no databases.`, 'databases', 'Add all hosts that may be the primary.')
  if (metrics && metrics.port === listen.port && metrics.address === listen.address)
    throw refused(
      `${name} cannot use the same port for requests and metrics.`,
      'metrics',
      'Use another port for metrics.',
    )
}
