import { type Build, type Host, type Step, service } from 'provision-ts'
import { type AppParams, jobTimers, runningUnits } from '../../roles/app/index.ts'
import { RECORD } from '../../roles/postgres/lib/record.ts'
import { type Application, readyPath } from '../application.ts'
import { METRICS_PORT, type Site } from '../schema.ts'
import { applicationDatabase } from './database-params.ts'
import { readersOf } from './tier.ts'

/** The parameters of the role app for a host. */
export function appParams(host: Host<{ readonly port: number }>, release: Build, values: Site): AppParams {
  const { app: apps, db, application, authority } = values
  const { name, start, migrations, metrics } = application
  const database = applicationDatabase(values)
  return {
    ...sameParams(application),
    ...{ name, release, start, ready: readyPath(application), listen: host },
    ...(metrics && readersOf(values) && { metrics: { address: host.address, port: METRICS_PORT } }),
    ...(database && {
      databases: db.hosts,
      database: { name: database.name, user: database.user, password: database.password, authority, record: RECORD },
    }),
    ...(migrations?.command && { migrate: migrations.command }),
    runsJobs: host.name === apps.hosts[0]?.name,
  }
}

/** The parts of the application that are parameters of the role under the same name. */
function sameParams({
  packages,
  environment,
  secrets,
  processes,
  memory,
  startWithin,
  stopWithin,
  stateDirectory,
  workers,
  jobs,
}: Application): Partial<AppParams> {
  return {
    ...(packages && { packages }),
    ...(environment && { environment }),
    ...(secrets && { secrets }),
    ...(processes !== undefined && { processes }),
    ...(memory !== undefined && { memory }),
    ...(startWithin !== undefined && { startWithin }),
    ...(stopWithin !== undefined && { stopWithin }),
    ...(stateDirectory !== undefined && { stateDirectory }),
    ...(workers && { workers }),
    ...(jobs && { jobs }),
  }
}

/** Stops the application on a host, with its workers and the timers of its jobs. */
export function appStopped({ application }: Pick<Site, 'application'>): readonly Step[] {
  const { name, workers = {}, jobs = {} } = application
  return [...jobTimers({ name, jobs }), ...runningUnits({ name, workers })].map((unit) =>
    service(unit, { state: 'stopped' }),
  )
}
