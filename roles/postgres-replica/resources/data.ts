import { type Host, Problem, resource, type Shell, sh } from 'provision-ts'
import { type Cluster, type ClusterState, clusterState, describeState } from '../../postgres/lib/cluster-state.ts'
import { conninfo } from '../../postgres/lib/conninfo.ts'
import { checkVersion, createData } from '../../postgres/lib/data-directory.ts'
import { foreignCluster } from '../../postgres/lib/primary.ts'
import { sqlCommand } from '../../postgres/lib/psql.ts'
import type { Paths } from '../../postgres/params.ts'
import type { OldPrimaryAction } from '../params.ts'
import { convertOldPrimary } from './old-primary.ts'

interface CopyParams {
  readonly host: string
  readonly paths: Paths
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

/** Without -R: the settings are in files of the role, so standby.signal is enough for a replica. */
function basebackup({ bin }: Paths, address: string, slot: string): Shell {
  return sh`postgres ${bin}/pg_basebackup -d ${conninfo(address)} --no-password -D "$at" -X stream -S ${slot} -c fast && postgres touch "$at/standby.signal"`
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
