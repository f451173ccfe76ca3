import { type Host, Problem, resource, type Shell, sh } from 'provision-ts'
import { type Cluster, type ClusterState, clusterState, describeState } from '../lib/cluster-state.ts'
import { conninfo } from '../lib/conninfo.ts'
import { foreignCluster } from '../lib/primary.ts'
import { sqlCommand } from '../lib/psql.ts'
import type { OldPrimaryAction, Paths } from '../params.ts'
import { convertOldPrimary } from './old-primary.ts'

interface NewParams {
  readonly host: string
  readonly paths: Paths
}

/** The data directory of a primary: a new, empty cluster if there was never one. Existing data are never changed. */
export const primaryData = resource<NewParams, ClusterState>('database cluster', {
  id: ({ paths }) => paths.data,
  read: () => clusterState.read,
  diff: (params, have) => {
    if (have.kind === 'foreign') throw foreignCluster(params.host, have)
    if (have.kind === 'nothing') return { action: 'create', fields: [] }
    if (have.kind === 'lost') throw missingData(params, 'Mount the disk or restore the data, and run again.')
    checkVersion(params, have)
    return undefined
  },
  apply: ({ paths }) => [{ script: createData(paths, initdb(paths)), timeout: '30m' }],
})

interface CopyParams extends NewParams {
  readonly primary: Host
  /** The database of the primary. It may be empty while a plan is made. */
  readonly found: ClusterState | undefined
  readonly slot: string
  /** The action for data of an old primary. */
  readonly oldPrimary: OldPrimaryAction
}

/**
 * The data directory of a replica: a copy of the primary's data. Existing data stay if they are such a copy. Data of an old primary are
 * converted on request.
 */
export const replicaData = resource<CopyParams, ClusterState>('database copy', {
  id: ({ paths }) => paths.data,
  read: () => clusterState.read,
  diff: (params, have) => {
    const { primary, found } = params
    if (found?.kind === 'cluster') checkVersion({ ...params, host: primary.name }, found)
    if (have.kind === 'foreign') throw foreignCluster(params.host, have)
    if (have.kind !== 'cluster') return { action: 'create', fields: [{ name: 'copy of', to: primary.name }] }
    checkVersion(params, have)
    if (found?.kind !== 'cluster' || (have.standby && have.system === found.system)) return undefined
    if (params.oldPrimary === 'refuse' || have.system !== found.system) throw unrelatedData(params, have, found)
    if (have.timeline > found.timeline) throw laterTimeline(params, have, found)
    const to =
      params.oldPrimary === 'rewind' ? `rewound to ${primary.name}` : `copy of ${primary.name}, the old data are kept`
    return { action: 'change', fields: [{ name: 'data', from: describeState(have), to }] }
  },
  apply: ({ paths, primary, slot, oldPrimary }, have) => {
    const copy = {
      script: createData(paths, basebackup(paths, primary.address, slot)),
      timeout: '12h',
    } as const
    if (have.kind !== 'cluster' || oldPrimary === 'refuse') return [copy]
    return [
      // pg_rewind reads the timeline from the control file.
      { ...sqlCommand('postgres', 'checkpoint'), on: primary },
      {
        script: convertOldPrimary({ paths, primary, action: oldPrimary, system: have.system ?? '' }),
        timeout: '12h',
      },
      {
        ...copy,
        script: sh`[ -s ${paths.data}/PG_VERSION ] || { ${copy.script}
}`,
      },
    ]
  },
})

/**
 * Creates the data in a temporary directory and renames it when they are complete, so the data directory is always a complete cluster. It
 * removes only its own temporary directory. It refuses to start while a server runs, which would continue with moved data. pg_createcluster
 * is not used: on an error it drops the cluster with its data.
 */
function createData({ data, unit, bin }: Paths, make: Shell): Shell {
  const [, parent = ''] = /^(.*)\/[^/]+$/.exec(data) ?? []
  const at = `${parent}/.main.provision`
  return sh`
exec 8>/run/provision-postgres.lock
flock -n 8 || { echo 'An earlier run is still creating the data. Run again when it is done.' >&2; exit 1; }
[ ! -s ${data}/PG_VERSION ] || { echo ${`${data} already has a cluster, which was not changed`} >&2; exit 1; }
if systemctl is-active -q ${unit} || ${bin}/pg_isready -q -h /run/postgresql; then
  echo ${`A server is running with data that are no longer in ${data}. Stop it first: systemctl stop ${unit}`} >&2; exit 1
fi
install -d -o postgres -g postgres -m 0755 ${parent} && rm -rf ${at} || exit 1
postgres() { HOME=/var/lib/postgresql setpriv --reuid postgres --regid postgres --init-groups "$@"; }
at=${at}
{ ${make} && rm -f "$at/postgresql.conf" "$at/pg_hba.conf" "$at/pg_ident.conf" && sync "$at" && mv -T "$at" ${data} && sync ${parent}; } || { rm -rf "$at"; exit 1; }`
}

function initdb({ bin }: Paths): Shell {
  return sh`postgres ${bin}/initdb -D "$at" --encoding=UTF8 --locale=C.UTF-8 --data-checksums --auth-local=peer --auth-host=scram-sha-256 --no-instructions`
}

/** Without -R: the settings are in files of the role, so standby.signal is enough for a replica. */
function basebackup({ bin }: Paths, address: string, slot: string): Shell {
  return sh`postgres ${bin}/pg_basebackup -d ${conninfo(address)} --no-password -D "$at" -X stream -S ${slot} -c fast && postgres touch "$at/standby.signal"`
}

function checkVersion({ host, paths }: NewParams, { version }: Cluster): void {
  if (version === paths.version) return
  throw new Problem(`${host} has data of PostgreSQL ${version}, and the inventory has version ${paths.version}`, {
    next: `Nothing was changed. To stay with ${version}, set it as version of the host. This role does not upgrade data.`,
  })
}

function unrelatedData({ host, primary }: CopyParams, own: Cluster, its: Cluster): Problem {
  const related = own.system === its.system
  const why = !own.system
    ? 'Its control file cannot be read: the data are damaged or incomplete.'
    : related
      ? 'It was a primary itself, and may have writes that the other host never received.'
      : 'It belongs to another system, and is not a copy of this one.'
  const away = 'If its data are not needed, move them aside and run again: it gets a new copy.'
  return new Problem(`${host} cannot become a replica of ${primary.name} with its present data`, {
    details: [
      `${host} ${describeState(own)}, system ${own.system ?? 'unknown'}`,
      `${primary.name} ${describeState(its)}, system ${its.system ?? 'unknown'}`,
      why,
    ],
    next: `Nothing was changed on ${host}. ${related ? `To make it a replica again: provision rejoin --host ${host}` : away}`,
  })
}

/** The host that was promoted last has the latest writes. They must not be discarded by mistake. */
function laterTimeline({ host, primary }: CopyParams, own: Cluster, its: Cluster): Problem {
  return new Problem(`${host} is on a later timeline than ${primary.name}, so it is probably the primary in use`, {
    details: [`${host} ${describeState(own)}`, `${primary.name} ${describeState(its)}`],
    next: `Nothing was changed. Probably the other host must rejoin: provision rejoin --host ${primary.name}`,
  })
}

function missingData({ host, paths }: NewParams, next: string): Problem {
  return new Problem(`${host} has a configuration of PostgreSQL, but no data in ${paths.data}`, {
    details: ['There is no primary to copy from.'],
    next,
  })
}
