import {
  directory,
  file,
  Problem,
  type RoleContext,
  role,
  type Secret,
  type Steps,
  service,
  template,
  unit,
} from 'provision-ts'
import type { ClusterState } from '../postgres/lib/cluster-state.ts'
import { PORT as POSTGRES, type PostgresParams, pathsOf } from '../postgres/params.ts'
import { BACKUP_SCRIPT, backupScript, timer, UNIT } from './lib/timers.ts'
import { type BackupHost, type BackupHostParams, REPOSITORY } from './params.ts'
import { firstBackup } from './resources/first-backup.ts'
import { server } from './resources/server.ts'
import { stanza } from './resources/stanza.ts'
import { TLS, type Tls } from './source.ts'

export interface BackupRepositoryParams extends BackupHostParams, Pick<PostgresParams, 'version'> {
  /** The database hosts. Whichever of them is primary is found out by each backup. */
  readonly sources: readonly BackupHost[]
  /** What the primary has; it may have nothing yet while the plan is made. */
  readonly found: ClusterState | undefined
  /** Encrypts the repository. Who loses it has lost the backups; it cannot be changed later. */
  readonly passphrase: Secret
  /** How many full backups are kept, with all that builds on them. @default 2 */
  readonly keepFull?: number
  /** Where the repository lies. @default '/var/lib/pgbackrest' */
  readonly path?: `/${string}`
  /** When backups begin, as systemd's calendar has it. @default a full one on Sunday, a differential one on the other days, after 1 o'clock */
  readonly schedule?: { readonly full: string; readonly diff: string }
}

export interface RepositoryConf {
  readonly address: string
  readonly sources: readonly Source[]
  readonly keepFull: number
  readonly path: string
  readonly tls: Tls
}

interface Source extends BackupHost {
  readonly number: number
  readonly data: string
  readonly port: number
}

const repositoryConf = template<RepositoryConf>(import.meta, 'repository.conf.ejs')

/** The host that keeps the backups, and takes them: from a replica where there is one. */
export const backupRepository = role(
  'backup-repository',
  (params: BackupRepositoryParams, { facts }: RoleContext): Steps => {
    const {
      address,
      sources,
      found,
      passphrase,
      keepFull = 2,
      path = REPOSITORY,
      schedule = SCHEDULE,
    } = params
    const { data } = pathsOf(params, facts)
    const config = repositoryConf({
      ...{ address, keepFull, path, tls: TLS },
      sources: sources.map(({ name, address: at }, i) => ({
        name,
        address: at,
        number: i + 1,
        data,
        port: POSTGRES,
      })),
    })
    return [
      server({ ...params, others: sources, config, secret: passphrase.map(passphraseConf) }),
      directory(path, { owner: 'postgres', mode: '0750' }),
      file(BACKUP_SCRIPT, backupScript(sources.length > 1), { mode: '0755' }),
      unit('pgbackrest-backup@.service', UNIT),
      unit('pgbackrest-backup@full.timer', timer('full', schedule.full)),
      unit('pgbackrest-backup@diff.timer', timer('diff', schedule.diff)),
      stanza({ host: params.name, path, system: found?.kind === 'cluster' ? found.system : undefined }),
      firstBackup({}),
      service('pgbackrest-backup@full.timer'),
      service('pgbackrest-backup@diff.timer'),
    ]
  },
)

const SCHEDULE = { full: 'Sun 01:00', diff: 'Mon..Sat 01:00' } as const

function passphraseConf(passphrase: string): string {
  if (passphrase.length < 16 || /\s/.test(passphrase))
    throw new Problem('The passphrase of the backups is too short, or has a space in it', {
      where: 'backup.passphrase',
      next: 'Give at least 16 characters: openssl rand -base64 36, for example. It cannot be changed later.',
    })
  return `[global]\nrepo1-cipher-pass=${passphrase}\n`
}
