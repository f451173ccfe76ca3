import {
  directory,
  file,
  line,
  locale,
  pkg,
  restarted,
  role,
  type Secret,
  service,
  sh,
  template,
  timer,
  transaction,
} from 'provision-ts'
import { postgresDatabase, postgresRole, postgresSchema } from 'provision-ts/roles/postgres-databases.js'

interface PostgresqlParams {
  /** Settings of postgresql.conf. */
  readonly options: Readonly<Record<string, string>>
  readonly users: readonly { readonly name: string; readonly password: Secret }[]
  readonly databases: readonly { readonly name: string; readonly owner: string }[]
  readonly backup: {
    /** When a dump of each database is made, as in systemd.time(7). */
    readonly at: string
    /** Dumps older than this are deleted. */
    readonly keepDays: number
  }
}

export interface Access {
  readonly users: readonly { readonly name: string; readonly database: string }[]
}

export interface BackupScript {
  readonly directory: string
  readonly keepDays: number
}

const pgHba = template<Access>(import.meta, 'pg_hba.conf.ejs')
const backupScript = template<BackupScript>(import.meta, 'backup.sh.ejs')

const BACKUPS = '/var/backups/postgresql'
const SCRIPT = '/usr/local/bin/backup-databases'

/** The version of PostgreSQL in each release of Debian: `include_vars` in Ansible. */
const VERSIONS: ReadonlyMap<string, number> = new Map([
  ['12', 15],
  ['13', 17],
])

/** The tasks of a role for a database server, such as `geerlingguy.postgresql`, and of one for its backups. */
export const postgresql = role(
  'postgresql',
  ({ options, users, databases, backup }: PostgresqlParams, { facts }) => {
    const version = VERSIONS.get(facts.os.version) ?? 17
    const configuration = `/etc/postgresql/${version}/main` as const
    const unit = `postgresql@${version}-main` as const
    return [
      // locale_gen: name, loop
      pkg('locales'),
      locale('C.UTF-8', { also: ['en_US.UTF-8'] }),
      // apt: name
      pkg(`postgresql-${version}`),

      transaction(
        'postgresql configuration',
        [
          // lineinfile: dest=postgresql.conf, regexp, line, loop, notify
          ...Object.entries(options).map(([name, value]) =>
            line(`${configuration}/postgresql.conf`, `${name} = ${value}`, { match: new RegExp(`^#?${name}\\s*=`) }),
          ),
          // template: src=pg_hba.conf.j2, owner, group, mode, notify
          file(
            `${configuration}/pg_hba.conf`,
            pgHba({ users: databases.map(({ name, owner }) => ({ name: owner, database: name })) }),
            { owner: 'postgres', mode: '0640' },
          ),
        ],
        {
          validate: sh`runuser -u postgres -- /usr/lib/postgresql/${version}/bin/postgres -C port -D ${configuration}`,
          activate: restarted(unit),
        },
      ),
      // service: name, state=started, enabled
      service(unit),

      // postgresql_user: name, password, no_log
      users.map(({ name, password }) => postgresRole(name, { password })),
      // postgresql_db: name, owner
      databases.map(({ name, owner }) => [
        postgresDatabase(name, { users: [owner] }),
        postgresSchema(name, name, { owner, user: owner }),
      ]),

      // file: path, state=directory, owner, mode
      directory(BACKUPS, { owner: 'postgres', mode: '0700' }),
      // template: src=backup.sh.j2, dest, mode
      file(SCRIPT, backupScript({ directory: BACKUPS, keepDays: backup.keepDays }), { mode: '0755' }),
      // cron: name, hour, minute, job, user
      timer('backup-databases', {
        ...{ at: backup.at, as: 'postgres', run: sh`${SCRIPT} ${databases.map(({ name }) => name)}` },
      }),
    ]
  },
  { os: ['debian 12', 'debian 13'] },
)
