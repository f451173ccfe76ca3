import { Problem, resource } from 'provision-ts'
import { type ClusterState, clusterState } from '../../postgres/lib/cluster-state.ts'
import type { RepositoryInfo } from '../lib/repository-info.ts'

export interface ExistingBackupsParams {
  readonly host: string
  readonly domain: string
  /** Whether no database host has anything. */
  readonly empty: boolean
  /** What the repository holds; undefined when its host could not be reached. */
  readonly held: RepositoryInfo | undefined
}

/** That nobody begins with an empty database where there are backups of one: all of its hosts may just have been lost. */
export const noExistingBackups = resource<ExistingBackupsParams, ClusterState>('backups', {
  id: () => 'to bring back',
  affects: 'itself',
  read: () => clusterState.read,
  diff: ({ host, domain, empty, held }, have) => {
    if (!empty || have.kind !== 'nothing') return undefined
    if (!held)
      throw new Problem(`${host} has no database, and whether there are backups of one cannot be asked`, {
        next: 'Nothing was changed. Bring back the host of the backups, and run again.',
      })
    const newest = held.backups.at(-1)
    if (newest)
      throw new Problem(`${host} has no database, but there are backups of one: ${newest.label}`, {
        next: `Nothing was changed. To bring the data back: provision restore --confirm ${domain}. To begin with an empty database, move the repository aside on its host.`,
      })
    return undefined
  },
  apply: () => [],
})
