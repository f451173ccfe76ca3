import { resource, sh } from 'provision-ts'
import { type ClusterState, clusterState } from '../../postgres/lib/cluster-state.ts'
import type { Paths } from '../../postgres/params.ts'

export interface OldDataParams {
  readonly paths: Pick<Paths, 'data' | 'unit'>
  readonly primary: string
  /** What the primary has. */
  readonly found: ClusterState | undefined
}

/** No data of a time that the primary was taken back from: they are moved aside, and a new copy can be made. */
export const moveDataAside = resource<OldDataParams, ClusterState>('old data', {
  id: ({ paths }) => paths.data,
  read: () => clusterState.read,
  diff: (_params, have) =>
    have.kind === 'cluster' ? { action: 'change', fields: [{ name: 'place', to: 'aside' }] } : undefined,
  apply: ({ paths: { data, unit }, primary, found }, have) => {
    const later =
      found?.kind === 'cluster' && found.running && have.kind === 'cluster' && found.timeline > have.timeline
    return later
      ? [
          sh`data=${data}; systemctl stop ${unit} && mv -T "$data" "$data.before-restore.$(date -u +%Y%m%dT%H%M%SZ)"`,
        ]
      : [sh`echo ${`${primary} does not run with restored data, so those here were left alone.`} >&2; exit 1`]
  },
})
