import { Problem, resource, sh } from 'provision-ts'
import { CHECK_ARCHIVING } from '../lib/check-archiving.ts'
import { type RepositoryInfo, repositoryInfo } from '../lib/repository-info.ts'
import { STANZA } from '../params.ts'

interface StanzaParams {
  readonly host: string
  /** The directory of the repository. */
  readonly path: string
  /** The system identifier of the primary; undefined while it has no database. */
  readonly system: string | undefined
}

/**
 * The stanza of the cluster in the repository. A repository of another cluster is refused: it may be the only copy of its data, and the
 * new cluster a mistake.
 */
export const stanza = resource<StanzaParams, RepositoryInfo>('backup stanza', {
  id: () => STANZA,
  read: () => repositoryInfo.read,
  diff: ({ host, path, system }, have) => {
    if (have.problem !== undefined)
      throw new Problem(`${host} cannot read its repository in ${path}`, {
        details: [have.problem],
        next: 'It was not changed. If it was created with another passphrase, set that one again.',
      })
    if (have.system === undefined) return { action: 'create', fields: [] }
    if (system === undefined || system === have.system) return undefined
    throw new Problem(`The repository on ${host} has the backups of another cluster`, {
      details: [`the repository has system ${have.system}, the database hosts have system ${system}`],
      next: `It was not changed. To restore its data: provision restore. To start again: mv ${path} ${path}.$(date +%F) on ${host}, and run again. After an upgrade of PostgreSQL: sudo -u postgres pgbackrest --stanza=${STANZA} stanza-upgrade on ${host}.`,
    })
  },
  apply: () => [
    {
      script: sh`pgbackrest --stanza=${STANZA} --log-level-console=warn stanza-create && { ${CHECK_ARCHIVING}; }`,
      as: 'postgres',
      timeout: '5m',
    },
  ],
})
