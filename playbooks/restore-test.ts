import { randomUUID } from 'node:crypto'
import { after, askEach, askHost, mapAnswers, play, playbook } from 'provision-ts'
import { moment, momentTaken, restoreTest } from '../roles/backup/index.ts'
import { postgresPackages } from '../roles/postgres/node.ts'
import { place } from '../roles/postgres/place.ts'
import { repositoryOf } from './backups.ts'
import { site } from './stack.ts'

export default playbook(
  site,
  (values) => {
    const { db, backup } = values
    const run = randomUUID()
    const [{ version } = { version: undefined }] = db.hosts
    repositoryOf(values)
    const replica = mapAnswers(
      askEach(db, place),
      (all) => all.find(({ answer }) => answer?.kind === 'cluster' && answer.running && answer.standby)?.host,
    )
    return [
      play('restore test: packages', { hosts: backup }, () => postgresPackages({ version })),
      play('restore test: rows', { hosts: db }, (host) =>
        after(replica, (found) => host === found && momentTaken({ run, version })),
      ),
      play('restore test', { hosts: backup }, ({ name }) =>
        after(replica, (found) => [
          found
            ? after(askHost(found, moment), (taken) =>
                restoreTest({ host: name, run, version, moment: taken }),
              )
            : restoreTest({ host: name, run, version, moment: undefined }),
        ]),
      ),
    ]
  },
  {
    description:
      'Restores the newest backup into a directory of its own on the host of the backups, and holds it against what a replica has.',
  },
)
