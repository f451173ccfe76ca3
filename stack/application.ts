import { choice, credential, dictionary, flag, integer, list, optional, record, text } from 'provision-ts'
import { MONITOR } from '../roles/monitoring/index.ts'
import { REPLICATOR } from '../roles/postgres/params.ts'

type TextField = typeof text

function matching(pattern: RegExp, expects: string): TextField {
  return { expects, check: (given) => (typeof given === 'string' && pattern.test(given) ? given : undefined) }
}

const path = matching(/^\/[\w./~%+-]*$/, 'a path such as /api/')
const folder = matching(/^(?!\/)(?!(?:.*\/)?\.\.(?:\/|$))[\w./-]+$/, 'a folder in the build such as public')
const command = list(text)

/** The application of the site, which runs on the hosts of `app`. */
export const application = record({
  /** The name of its systemd unit, its user, its database, and its directories /srv/NAME and /etc/NAME. It cannot be changed later. */
  name: matching(/^[a-z][a-z0-9-]{0,30}$/, 'lower-case letters, digits and dashes'),
  build: record({
    /** A folder of this machine with the built application, or `await archive(…)`. */
    directory: text,
    /** The folder in it that app hosts get; all of it by default. */
    app: optional(folder),
    /** The folder in it with static files, which nginx serves; none by default. */
    static: optional(folder),
  }),
  /** The command, in the directory of the build: `['node', 'server.mjs']`. `${PORT}` and `${HOST}` are replaced. */
  start: command,
  /** Debian packages that it needs; `nodejs` by default. */
  packages: optional(list(text)),
  /** Variables of its environment. `${PORT}` and `${HOST}` are replaced. */
  environment: optional(dictionary(text)),
  /** Variables with secret values. */
  secrets: optional(dictionary(credential)),
  health: optional(
    record({
      /** The path that answers 200 while the process works, also without its database; `/` by default. It is requested twice a second. */
      live: optional(path),
      /** The path that answers 200 when requests can be served; that of `live` by default. */
      ready: optional(path),
    }),
  ),
  /**
   * `rows`: it has a database of its name, and its login reads and writes rows. `schema`: its login also creates tables. Without it, the
   * application has no database.
   */
  database: optional(choice('rows', 'schema')),
  /** SQL files or a command that change the schema of the database before a release becomes active. */
  migrations: optional(
    record({
      /** A folder in the build for app hosts, with numbered files: `0001-title.sql`. For a database of `rows`. */
      sql: optional(folder),
      /** A command on each app host, before a release becomes active there for the first time. It must do nothing if there is nothing to migrate. */
      command: optional(command),
    }),
  ),
  /** The beginnings of the paths that nginx forwards to it; all by default, with static files `/api/`. */
  paths: optional(list(path)),
  /** True if it has WebSockets; no by default. */
  websockets: optional(flag),
  /** The beginnings of paths with long answers, such as server-sent events; none by default. */
  streams: optional(list(path)),
  /** The maximum size of a request; 1m by default. */
  bodyLimit: optional(matching(/^[1-9]\d*[kmg]?$/, 'a size such as 10m')),
  /** Seconds until an answer must begin; 10 by default. */
  answerWithin: optional(integer({ min: 1, max: 3_600 })),
  /** Seconds in which it becomes ready after a start; 30 by default. */
  startWithin: optional(integer({ min: 1, max: 3_600 })),
  /** Seconds for open requests at a stop; 30 by default. */
  stopWithin: optional(integer({ min: 1, max: 3_600 })),
  /** Processes on each host; one per core by default if `start` begins with `node`, otherwise one. */
  processes: optional(integer({ min: 1, max: 512 })),
  /** The limit of memory on a host; 75% by default. */
  memory: optional(matching(/^[1-9]\d*(?:%|[KMGT])?$/, 'a size or a share such as 512M or 50%')),
  /** True if it has a directory for its own files, `STATE_DIRECTORY`; no by default. */
  stateDirectory: optional(flag),
  /** True if it serves metrics for Prometheus at the address and port in `METRICS`; no by default. */
  metrics: optional(flag),
  /** The Content-Security-Policy of its pages; by default a strict one for static files, and none for pages of the application. */
  contentSecurityPolicy: optional(matching(/^[^"\n\r]+$/, 'a policy without double quotes')),
  /** Processes beside the service on each app host, with the same build and environment. */
  workers: optional(dictionary(record({ start: command }))),
  /** Commands at certain times, on the first app host. */
  jobs: optional(
    dictionary(
      record({
        start: command,
        /** In the format of systemd.time(7): `daily`, `Mon..Fri 02:30`. */
        at: text,
      }),
    ),
  ),
  /** Paths that `verify` requests at the virtual IP, each of which must answer with success. */
  checks: optional(list(path)),
})

/** The application of an inventory. */
export type Application = NonNullable<ReturnType<(typeof application)['check']>>

/** The name of the database of an application, which is also that of its schema and its login. */
export function databaseName({ name }: Pick<Application, 'name'>): string {
  return name.replaceAll('-', '_')
}

type Healthy = Pick<Application, 'health'>

/** The path that answers with success while the application works. */
export function livePath({ health }: Healthy): string {
  return health?.live ?? '/'
}

/** The path that answers with success when the application can serve requests. */
export function readyPath({ health }: Healthy): string {
  return health?.ready ?? health?.live ?? '/'
}

/** Names of the roles and databases that the tiers and PostgreSQL itself create. */
const RESERVED = new RegExp(`^(?:postgres|public|none|template[01]|${REPLICATOR}|${MONITOR}|pg_.*)$`)

/** Returns the parts that contradict each other. */
export function applicationFaults(
  given: Application,
  { passwords }: { readonly passwords: { readonly app?: unknown } },
): readonly (string | false)[] {
  const { build, start, database, migrations, paths, streams = [] } = given
  const { environment = {}, secrets = {}, workers = {}, jobs = {} } = given
  const names = [...Object.keys(environment), ...Object.keys(secrets)]
  const units = [...Object.keys(workers), ...Object.keys(jobs)]
  return [
    start.length === 0 && "application.start: is empty; write the program and its arguments: ['node', 'server.mjs']",
    database !== undefined && passwords.app === undefined && 'passwords.app: is missing; application.database needs it',
    migrations?.sql !== undefined && database !== 'rows' && "application.migrations.sql: needs database: 'rows'",
    migrations?.sql !== undefined &&
      migrations.command !== undefined &&
      'application.migrations: has sql and command; give one of them',
    build.static !== undefined &&
      [...(paths ?? []), ...streams].includes('/') &&
      'application.paths: / leaves no path for the static files; name the paths of the application',
    build.static !== undefined &&
      readyPath(given) === '/' &&
      'application.health.ready: is the path / of the static files; name a path that the application answers',
    build.static === undefined &&
      paths?.length === 0 &&
      'application.paths: is empty; name the paths of the application, or leave them out for all',
    database !== undefined &&
      RESERVED.test(databaseName(given)) &&
      `application.name: the database server has a role or a database ${databaseName(given)}; use another name`,
    ...names
      .filter((name) => !/^[A-Za-z_]\w*$/.test(name))
      .map((name) => `application.environment.${name}: is not the name of a variable`),
    ...Object.keys(secrets)
      .filter((name) => name in environment)
      .map((name) => `application.secrets.${name}: is in environment, too`),
    ...units
      .filter((name, i) => !/^[a-z][a-z0-9-]{0,30}$/.test(name) || name === 'migrate' || units.indexOf(name) !== i)
      .map(
        (name) =>
          `application: the name ${name} of a worker or a job is not possible; use lower-case letters, digits and dashes, each name once, and not migrate`,
      ),
  ]
}
