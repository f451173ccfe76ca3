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

/** The data of a primary: a new, empty cluster where there was never one. What is there is never touched. */
export const primaryData = resource<NewParams, ClusterState>('database cluster', {
  id: ({ paths }) => paths.data,
  read: () => clusterState.read,
  diff: (params, have) => {
    if (have.kind === 'foreign') throw foreignCluster(params.host, have)
    if (have.kind === 'nothing') return { action: 'create', fields: [] }
    if (have.kind === 'lost') throw lost(params, 'Mount its disk or put its data back, and run again.')
    checkVersion(params, have)
    return undefined
  },
  apply: ({ paths }) => [{ script: made(paths, initdb(paths)), timeout: '30m' }],
})

interface CopyParams extends NewParams {
  readonly primary: Host
  /** What the primary has; it may have nothing yet while the plan is made. */
  readonly found: ClusterState | undefined
  readonly slot: string
  /** What becomes of data that are no copy of the primary's, but of the same system. */
  readonly oldPrimary: OldPrimaryAction
}

/**
 * The data of a replica: a copy of the primary's where there is nothing, and else what is there, if that is such a copy. Those of an
 * old primary become one when a person has said so.
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
    if (params.oldPrimary === 'refuse' || have.system !== found.system) throw unrelated(params, have, found)
    if (have.timeline > found.timeline) throw later(params, have, found)
    const to =
      params.oldPrimary === 'rewind'
        ? `rewound to ${primary.name}`
        : `copy of ${primary.name}, the old data kept aside`
    return { action: 'change', fields: [{ name: 'data', from: describeState(have), to }] }
  },
  apply: ({ paths, primary, slot, oldPrimary }, have) => {
    const copy = { script: made(paths, basebackup(paths, primary.address, slot)), timeout: '12h' } as const
    if (have.kind !== 'cluster' || oldPrimary === 'refuse') return [copy]
    return [
      // The timeline must be in its control file: rewinding looks there.
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
 * Not while a server runs: it would go on with data that were moved under its feet. The data are made beside their place and renamed
 * into it when they are whole: what is in place is always a whole cluster. Only what an earlier run left of its own beside the place
 * is ever removed. pg_createcluster is not asked to take the data in: when it stumbles over something, it cleans up after itself by
 * dropping the cluster, data and all.
 */
function made({ data, unit, bin }: Paths, make: Shell): Shell {
  const [, parent = ''] = /^(.*)\/[^/]+$/.exec(data) ?? []
  const at = `${parent}/.main.provision`
  return sh`
exec 8>/run/provision-postgres.lock
flock -n 8 || { echo 'An earlier run still makes the data here; it goes on without us. Run again when it is done.' >&2; exit 1; }
[ ! -s ${data}/PG_VERSION ] || { echo ${`${data} holds a cluster already; it is left alone`} >&2; exit 1; }
if systemctl is-active -q ${unit} || ${bin}/pg_isready -q -h /run/postgresql; then
  echo ${`A server still runs here, with data that are no longer in ${data}: systemctl stop ${unit} first.`} >&2; exit 1
fi
install -d -o postgres -g postgres -m 0755 ${parent} && rm -rf ${at} || exit 1
postgres() { HOME=/var/lib/postgresql setpriv --reuid postgres --regid postgres --init-groups "$@"; }
at=${at}
{ ${make} && rm -f "$at/postgresql.conf" "$at/pg_hba.conf" "$at/pg_ident.conf" && sync "$at" && mv -T "$at" ${data} && sync ${parent}; } || { rm -rf "$at"; exit 1; }`
}

function initdb({ bin }: Paths): Shell {
  return sh`postgres ${bin}/initdb -D "$at" --encoding=UTF8 --locale=C.UTF-8 --data-checksums --auth-local=peer --auth-host=scram-sha-256 --no-instructions`
}

/** Its settings are in our own files, so -R has nothing to write: standby.signal is all that makes it a replica. */
function basebackup({ bin }: Paths, address: string, slot: string): Shell {
  return sh`postgres ${bin}/pg_basebackup -d ${conninfo(address)} --no-password -D "$at" -X stream -S ${slot} -c fast && postgres touch "$at/standby.signal"`
}

function checkVersion({ host, paths }: NewParams, { version }: Cluster): void {
  if (version === paths.version) return
  throw new Problem(
    `${host} has data of PostgreSQL ${version}, where version ${paths.version} is asked for`,
    {
      next: `Nothing was changed. To go on with ${version}, say so as the host's version; this role does no upgrades.`,
    },
  )
}

function unrelated({ host, primary }: CopyParams, own: Cluster, its: Cluster): Problem {
  const related = own.system === its.system
  const why = !own.system
    ? 'Its control file cannot be read: the data are damaged, or not all there.'
    : related
      ? 'It was a primary itself: it may hold writes that the other one never got.'
      : 'It is of another system, no copy of this one.'
  const away = 'If its data are not needed, move them aside there, and run again: it gets a new copy.'
  return new Problem(`${host} cannot become a replica of ${primary.name} with the data it has`, {
    details: [
      `${host} ${describeState(own)}, system ${own.system ?? 'unknown'}`,
      `${primary.name} ${describeState(its)}, system ${its.system ?? 'unknown'}`,
      why,
    ],
    next: `Nothing was changed on ${host}. ${related ? `To make it a replica again: provision rejoin --host ${host}` : away}`,
  })
}

/** Whoever was promoted last has the writes since; undoing them is nothing to be done by a slip of the hand. */
function later({ host, primary }: CopyParams, own: Cluster, its: Cluster): Problem {
  return new Problem(
    `${host} is on a later timeline than ${primary.name}, so it is most likely the one in use`,
    {
      details: [`${host} ${describeState(own)}`, `${primary.name} ${describeState(its)}`],
      next: `Nothing was changed. Most likely the other one must rejoin: provision rejoin --host ${primary.name}`,
    },
  )
}

function lost({ host, paths }: NewParams, next: string): Problem {
  return new Problem(`${host} has a configuration of PostgreSQL, but no data in ${paths.data}`, {
    details: ['No other database host has a primary, so there is nothing to copy from.'],
    next,
  })
}
