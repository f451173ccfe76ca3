import { dropIn, type Facts, file, pkg, role, type Step, type Steps, service } from 'provision-ts'
import { apply } from './activation.ts'
import { configuration } from './configuration.ts'
import { TRUSTED } from './files.ts'
import { settingsInForce } from './kinds/in-force.ts'
import { type Paths, type PostgresParams, pathsOf, type Settings } from './params.ts'
import { commonSettings } from './settings.ts'

interface Parts {
  /** Settings beside those that all database hosts have. */
  readonly settings?: Settings
  /** What must be there before the data. */
  readonly before?: Steps
  /** Makes the data where there are none. */
  readonly data: Step
}

/** What every database host is made of, whether it is primary or replica: installed, configured, running. */
export function node(params: PostgresParams, facts: Facts, { settings = {}, before, data }: Parts): Steps {
  const paths = pathsOf(params, facts)
  const all = { ...commonSettings(params, facts), ...settings }
  return [
    packages(paths),
    dropIn(paths.unit, 'provision', UNIT),
    file(TRUSTED, params.authority),
    before,
    data,
    configuration({ ...params, paths, settings: all }),
    service(paths.unit),
    settingsInForce({ names: Object.keys(all), apply: apply(paths) }),
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

/** Debian's unit is never started again after a crash, and may start before the host has its address. */
const UNIT = `[Unit]
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=0

[Service]
Restart=on-failure
RestartSec=2s
`
