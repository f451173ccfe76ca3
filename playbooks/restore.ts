import { randomUUID } from 'node:crypto'
import { after, askHost, integer, optional, Problem, play, playbook, text } from 'provision-ts'
import { holdings, momentOf, movedAside, restored } from '../roles/backup/index.ts'
import { place } from '../roles/postgres/place.ts'
import { primaryOf } from '../roles/postgres-primary/index.ts'
import { repositoryOf } from './backups.ts'
import { site } from './stack.ts'
import { backupTier, databaseGround, databaseRoles } from './tiers.ts'

export default playbook(
  site,
  (values, { to, timeline, confirm }) => {
    const { db, domain } = values
    const repository = repositoryOf(values)
    if (confirm !== domain) {
      throw new Problem(`This replaces the data of ${domain} by older ones`, {
        next: `Nothing was done. When that is what you want, say --confirm ${domain}. The data that are there now are moved aside, not deleted.`,
      })
    }
    const run = randomUUID()
    const moment = to === undefined ? undefined : momentOf(to)
    return [
      ...databaseGround(values),
      play('restore: primary', { hosts: db, anyErrorsFatal: true }, (host) =>
        after(primaryOf(db), (primary) =>
          after(
            askHost(repository, holdings),
            (held) =>
              host === primary &&
              restored({ host: host.name, version: host.version, run, to: moment, timeline, held }),
          ),
        ),
      ),
      play('restore: replicas', { hosts: db, anyErrorsFatal: true }, (host) =>
        after(primaryOf(db), (primary) =>
          after(
            askHost(primary, place),
            (found) =>
              host !== primary && movedAside({ version: host.version, primary: primary.name, found }),
          ),
        ),
      ),
      ...databaseRoles(values),
      ...backupTier(values),
    ]
  },
  {
    description:
      'Brings the database back as it was at a moment, from its backups: on the primary, and by new copies on the replicas. The data that are there are moved aside.',
    flags: { to: optional(text), timeline: optional(integer({ min: 1 })), confirm: optional(text) },
  },
)
