import { type Facts, file, pkg, role, type Step, type Steps, service } from 'provision-ts'
import { apply } from './activation.ts'
import { configuration } from './configuration.ts'
import { postgresConflicts } from './conflicts.ts'
import { fence } from './fence.ts'
import { PASSFILE, TRUSTED } from './files.ts'
import { settingsInForce } from './kinds/in-force.ts'
import { type Paths, type PostgresParams, passfile, pathsOf } from './params.ts'
import { type Followed, settingsOf } from './settings.ts'

interface Parts {
  /** Whom it follows, or would follow: said on a primary too, so that a change of roles is no change of files. */
  readonly follows: Followed | undefined
  /** Makes the data where there are none; undefined where Patroni does that. */
  readonly data: Step | undefined
}

/** What every database host is made of, whether it is primary or replica: installed, configured, running. */
export function node(params: PostgresParams, facts: Facts, { follows, data }: Parts): Steps {
  const paths = pathsOf(params, facts)
  const { manager = 'systemd' } = params
  const bySystemd = manager === 'systemd'
  const settings = settingsOf(params, facts, bySystemd ? follows : undefined)
  return [
    postgresConflicts(paths, params.address),
    packages(paths),
    file(TRUSTED, params.authority),
    file(PASSFILE, passfile(params.passwords.replication), { owner: 'postgres' }),
    bySystemd && [fence(paths, params.peers), data],
    configuration({ ...params, paths, settings, manager }),
    bySystemd && service(paths.unit),
    settingsInForce({ names: Object.keys(settings), apply: apply(paths, manager) }),
  ]
}

/**
 * The packages alone. A play with it before those of primary and replicas installs on all hosts side by side, which halves a
 * first run; the roles look after them all the same.
 */
export const postgresPackages = role(
  'postgres-packages',
  (params: Pick<PostgresParams, 'version'>, { facts }) => packages(pathsOf(params, facts)),
)

function packages({ version }: Paths): Steps {
  return [
    // Before the package: its installation would make a cluster of its own.
    file('/etc/postgresql-common/createcluster.d/provision.conf', 'create_main_cluster = false\n'),
    pkg(`postgresql-${version}`),
  ]
}
