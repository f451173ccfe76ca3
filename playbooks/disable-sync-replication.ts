import { after, play, playbook } from 'provision-ts'
import { postgresReplication, primaryOf } from '../roles/postgres/index.ts'
import { site } from './schema.ts'

/** Writes go on although the replica is lost. */
export default playbook(
  site,
  ({ db }) => [
    play('database: alone', { hosts: db }, (host) =>
      after(
        primaryOf(db),
        (primary) =>
          host === primary && postgresReplication({ version: host.version, replicas: [], synchronous: [] }),
      ),
    ),
  ],
  {
    description:
      'Lets the primary of the database acknowledge writes without a replica: what is written until one follows again is lost with the primary. The next run of the site ends it once one does.',
  },
)
