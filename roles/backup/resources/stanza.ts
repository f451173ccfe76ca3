import { Problem, resource, sh } from 'provision-ts'
import { CHECK_ARCHIVING } from '../lib/check-archiving.ts'
import { type RepositoryInfo, repositoryInfo } from '../lib/repository-info.ts'
import { STANZA } from '../params.ts'

export interface StanzaParams {
  readonly host: string
  /** Where the repository lies. */
  readonly path: string
  /** The number of the primary's system; undefined while it has none. */
  readonly system: string | undefined
}

/**
 * The cluster's place in the repository. One that holds another cluster is left alone: it may be all that is left of the data,
 * and the new cluster an accident.
 */
export const stanza = resource<StanzaParams, RepositoryInfo>('backup stanza', {
  id: () => STANZA,
  read: () => repositoryInfo.read,
  diff: ({ host, path, system }, have) => {
    if (have.problem !== undefined)
      throw new Problem(`${host} cannot read its repository in ${path}`, {
        details: [have.problem],
        next: 'Nothing was changed in it. When it was made with another passphrase, give that one again.',
      })
    if (have.system === undefined) return { action: 'create', fields: [] }
    if (system === undefined || system === have.system) return undefined
    throw new Problem(`The repository on ${host} holds the backups of another cluster`, {
      details: [`it is of system ${have.system}, the database hosts of system ${system}`],
      next: `Nothing was changed in it. To bring its data back: provision restore. To begin anew: mv ${path} ${path}.$(date +%F) on ${host}, and run again. After an upgrade of PostgreSQL: sudo -u postgres pgbackrest --stanza=${STANZA} stanza-upgrade on ${host}.`,
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
