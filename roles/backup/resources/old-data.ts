import { resource, sh } from 'provision-ts'
import { type ClusterState, clusterState } from '../../postgres/lib/cluster-state.ts'
import type { Paths } from '../../postgres/params.ts'

export interface OldDataParams {
  readonly paths: Pick<Paths, 'data' | 'unit'>
  readonly primary: string
  /** The database of the primary. */
  readonly found: ClusterState | undefined
}

/** Moves aside the data of a replica that are newer than the restored primary, so that it gets a new copy. */
export const moveDataAside = resource<OldDataParams, ClusterState>('old data', {
  id: ({ paths }) => paths.data,
  read: () => clusterState.read,
  diff: (_params, have) =>
    have.kind === 'cluster' ? { action: 'change', fields: [{ name: 'data', to: 'moved aside' }] } : undefined,
  apply: ({ paths: { data, unit }, primary, found }, have) => {
    const later =
      found?.kind === 'cluster' && found.running && have.kind === 'cluster' && found.timeline > have.timeline
    return later
      ? [sh`data=${data}; systemctl stop ${unit} && mv -T "$data" "$data.before-restore.$(date -u +%Y%m%dT%H%M%SZ)"`]
      : [sh`echo ${`${primary} does not run with restored data, so the data here are unchanged.`} >&2; exit 1`]
  },
})
