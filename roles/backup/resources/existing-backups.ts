import { Problem, resource } from 'provision-ts'
import { type ClusterState, clusterState } from '../../postgres/lib/cluster-state.ts'
import type { RepositoryInfo } from '../lib/repository-info.ts'

interface ExistingBackupsParams {
  readonly host: string
  readonly domain: string
  /** True if no database host has data. */
  readonly empty: boolean
  /** The content of the repository; undefined if its host cannot be reached. */
  readonly held: RepositoryInfo | undefined
}

/** Refuses to create an empty database if there are backups: all of its hosts may have been lost. */
export const noExistingBackups = resource<ExistingBackupsParams, ClusterState>('backups', {
  id: () => 'to restore',
  affects: 'itself',
  read: () => clusterState.read,
  diff: ({ host, domain, empty, held }, have) => {
    if (!empty || have.kind !== 'nothing') return undefined
    if (!held)
      throw new Problem(`${host} has no database, and it is unknown if there are backups`, {
        next: 'Nothing was changed. Make the backup host reachable, and run again.',
      })
    const newest = held.backups.at(-1)
    if (newest)
      throw new Problem(`${host} has no database, but there are backups: ${newest.label}`, {
        next: `Nothing was changed. To restore the data: provision restore --confirm ${domain}. To create an empty database, move the repository aside on its host.`,
      })
    return undefined
  },
  apply: () => [],
})
