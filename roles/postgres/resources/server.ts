import { absent, type Facts, file, pkg, type Step, type Steps, service } from 'provision-ts'
import { applyConfiguration } from '../lib/activation.ts'
import { PASSFILE, TRUSTED } from '../lib/files.ts'
import { type PrimaryAddress, settingsOf } from '../lib/settings.ts'
import { type Paths, type PostgresParams, passfile, pathsOf } from '../params.ts'
import { configuration } from './configuration.ts'
import { postgresConflicts } from './conflicts.ts'
import { BOOT_GRACE, fence } from './fence.ts'
import { settingsActive } from './settings-active.ts'
import { synchronousConf } from './synchronous-replication.ts'

interface ServerParts {
  /** The host to follow. A primary has it too, so that a change of roles changes no file. */
  readonly follows: PrimaryAddress | undefined
  /** Creates the data directory; undefined where Patroni does. */
  readonly data: Step | undefined
}

/** The steps of primary and replica alike: installed, configured, running. */
export function server(params: PostgresParams, facts: Facts, { follows, data }: ServerParts): Steps {
  const paths = pathsOf(params, facts)
  const { manager = 'systemd' } = params
  const bySystemd = manager === 'systemd'
  const settings = settingsOf(params, facts, bySystemd ? follows : undefined)
  return [
    postgresConflicts(paths, params),
    packages(paths),
    file(TRUSTED, params.authority),
    file(PASSFILE, passfile(params.passwords.replication), { owner: 'postgres' }),
    bySystemd && [
      fence({ paths, name: params.name, peers: params.peers, bootGrace: params.bootGrace ?? BOOT_GRACE }),
      data,
    ],
    // Patroni does not read it, and its content would become wrong.
    !bySystemd && absent(synchronousConf(paths)),
    configuration({ ...params, paths, settings, manager }),
    bySystemd && service(paths.unit),
    settingsActive({ names: Object.keys(settings), apply: applyConfiguration(paths, manager) }),
  ]
}

export function packages({ version }: Paths): Steps {
  return [
    // Before the package, whose installation would create a cluster otherwise.
    file('/etc/postgresql-common/createcluster.d/provision.conf', 'create_main_cluster = false\n'),
    pkg(`postgresql-${version}`),
  ]
}
