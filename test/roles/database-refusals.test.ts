import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { backupRepository } from '../../roles/backup/index.ts'
import { parsePointInTime } from '../../roles/backup/lib/point-in-time.ts'
import type { Backup, RepositoryInfo } from '../../roles/backup/lib/repository-info.ts'
import { noExistingBackups } from '../../roles/backup/resources/existing-backups.ts'
import { restoreDatabase } from '../../roles/backup/resources/restore.ts'
import { restoreTest } from '../../roles/backup/resources/restore-test.ts'
import { stanza } from '../../roles/backup/resources/stanza.ts'
import { postgresPackages } from '../../roles/postgres/index.ts'
import type { Cluster, ClusterState } from '../../roles/postgres/lib/cluster-state.ts'
import { pathsFor } from '../../roles/postgres/params.ts'
import { migrationsIn } from '../../roles/postgres/resources/migrations.ts'
import { postgresPrimary } from '../../roles/postgres-primary/index.ts'
import { primaryData } from '../../roles/postgres-primary/resources/data.ts'
import { replicaData } from '../../roles/postgres-replica/resources/data.ts'
import { Secret } from '../../src/shell/secret.ts'
import { temporary } from '../support/rig.ts'
import { wordsOf } from '../support/words.ts'
import { stepsOf } from './expanded.ts'
import { COMMON, stepOf } from './postgres.ts'

const paths = pathsFor(15)
const db2 = { name: 'db2', group: 'db', address: '198.18.0.42' }

const PRIMARY: Cluster = {
  ...{ kind: 'cluster', version: 15, standby: false, running: true },
  ...{ system: '77', timeline: 2, state: 'in production' },
}
const OLD: Cluster = { ...PRIMARY, running: false, timeline: 1, state: 'shut down' }

const copied = (have: ClusterState, oldPrimary: 'refuse' | 'rewind' | 'copy' = 'refuse') =>
  replicaData({ host: 'db1', paths, primary: db2, found: PRIMARY, slot: 'db1', oldPrimary }).diff(have)

const NOON = Date.parse('2026-11-22T12:00:00Z') / 1000
const FULL: Backup = {
  ...{ label: '20261122-120000F', type: 'full', start: NOON - 3, stop: NOON },
  ...{ size: 1000, added: 100, damaged: false, run: undefined },
}
const HELD: RepositoryInfo = { system: '77', problem: undefined, asked: NOON + 3600, backups: [FULL] }
const LOCKED: RepositoryInfo = { ...HELD, problem: 'ERROR: [031]: no passphrase', backups: [] }
const EMPTY: RepositoryInfo = { ...HELD, backups: [] }

const kept = (held: RepositoryInfo, system = '77') =>
  stanza({ host: 'backup1', path: '/var/lib/pgbackrest', system }).diff(held)
const begun = (held: RepositoryInfo | undefined) =>
  noExistingBackups({ host: 'db1', domain: 'notes.test', empty: true, held }).diff({ kind: 'nothing' })
const broughtBack = (held: RepositoryInfo | undefined, to?: string) =>
  restoreDatabase({
    ...{ host: 'db1', paths, run: 'mine', timeline: undefined, held },
    to: to === undefined ? undefined : parsePointInTime(to),
  }).diff([PRIMARY, ''])
const passphrase = (text: string) =>
  stepOf(
    stepsOf(
      backupRepository({
        ...{ name: 'backup1', address: '198.18.0.51', sources: [db2], found: undefined },
        ...{ certificate: COMMON.certificate, authority: COMMON.authority },
        passphrase: new Secret(() => text),
      }),
    ),
    'transaction',
  ).apply([])

const migrations = (name: string, text: string) => {
  const directory = temporary()
  try {
    writeFileSync(join(directory, name), text)
    return migrationsIn(directory)
  } finally {
    rmSync(directory, { recursive: true })
  }
}

const CASES: Readonly<Record<string, readonly [given: () => unknown, text: string]>> = {
  'a release of Debian whose PostgreSQL the role does not know': [
    () => stepsOf(postgresPackages({}), { os: { id: 'debian', version: '11', codename: 'bullseye' } }),
    `error: debian 11 has no version of PostgreSQL that this role supports.
   at role postgres-packages
   Supported are Debian 12 (PostgreSQL 15) and 13 (17).`,
  ],
  'a version of PostgreSQL that the release does not carry': [
    () => stepsOf(postgresPackages({ version: 17 })),
    `error: Debian 12 does not have PostgreSQL 17.
   at role postgres-packages, version
   Leave version out, or set 15. Nothing was changed on any host.`,
  ],
  'an empty password': [
    () =>
      stepOf(
        stepsOf(postgresPrimary({ ...COMMON, replicas: [], passwords: { replication: new Secret(() => '') } })),
        'database role',
        'replicator',
      ).diff(undefined),
    `error: The password of the database role replicator is empty
   Nothing was changed on the host. Check its source in the inventory.`,
  ],
  'a primary whose data are gone': [
    () => primaryData({ host: 'db1', paths }).diff({ kind: 'lost' }),
    `error: db1 has a configuration of PostgreSQL, but no data in /var/lib/postgresql/15/main
   There is no primary to copy from.
   Mount the disk or restore the data, and run again.`,
  ],
  'a primary whose data are of another version': [
    () => primaryData({ host: 'db1', paths }).diff({ ...PRIMARY, version: 13 }),
    `error: db1 has data of PostgreSQL 13, and the inventory has version 15
   Nothing was changed. To stay with 13, set it as version of the host. This role does not upgrade data.`,
  ],
  'a replica of a primary of another version': [
    () =>
      replicaData({
        ...{ host: 'db1', paths, primary: db2, slot: 'db1', oldPrimary: 'refuse' },
        found: { ...PRIMARY, version: 13 },
      }).diff({ kind: 'nothing' }),
    `error: db2 has data of PostgreSQL 13, and the inventory has version 15
   Nothing was changed. To stay with 13, set it as version of the host. This role does not upgrade data.`,
  ],
  'a replica that was a primary': [
    () => copied(OLD),
    `error: db1 cannot become a replica of db2 with its present data
   db1 has a primary, timeline 1 that does not answer (shut down), system 77
   db2 is a primary, timeline 2, system 77
   It was a primary itself, and may have writes that the other host never received.
   Nothing was changed on db1. To make it a replica again: provision rejoin --host db1`,
  ],
  'a replica of another system': [
    () => copied({ ...OLD, standby: true, system: '78' }),
    `error: db1 cannot become a replica of db2 with its present data
   db1 has a replica, timeline 1 that does not answer (shut down), system 78
   db2 is a primary, timeline 2, system 77
   It belongs to another system, and is not a copy of this one.
   Nothing was changed on db1. If its data are not needed, move them aside and run again: it gets a new copy.`,
  ],
  'a replica whose data are damaged': [
    () => copied({ ...OLD, standby: true, system: undefined, timeline: 0, state: 'unknown' }),
    `error: db1 cannot become a replica of db2 with its present data
   db1 has a replica, timeline 0 that does not answer (unknown), system unknown
   db2 is a primary, timeline 2, system 77
   Its control file cannot be read: the data are damaged or incomplete.
   Nothing was changed on db1. If its data are not needed, move them aside and run again: it gets a new copy.`,
  ],
  'to undo the writes of whoever was promoted last': [
    () => copied({ ...OLD, timeline: 3 }, 'rewind'),
    `error: db1 is on a later timeline than db2, so it is probably the primary in use
   db1 has a primary, timeline 3 that does not answer (shut down)
   db2 is a primary, timeline 2
   Nothing was changed. Probably the other host must rejoin: provision rejoin --host db2`,
  ],
  'a migration with a number of its own': [
    () => migrations('0002-second.sql', 'select 2'),
    `error: DIR/0002-second.sql is not a migration, or not the next one
   Number the files from 0001 without a gap: 0001-what-it-does.sql.`,
  ],
  'a migration that is too large': [
    () => migrations('0001-first.sql', '-'.repeat(100_001)),
    `error: DIR/0001-first.sql is larger than 100 kB
   A migration changes the schema. Let the application fill large tables in small transactions.`,
  ],
  'a passphrase that is too short': [
    () => passphrase('a-passphrase'),
    `error: The passphrase of the backups is too short, or contains a space
   at backup.passphrase
   Use at least 16 characters, for example from openssl rand -base64 36. It cannot be changed later.`,
  ],
  'a passphrase with a space': [
    () => passphrase('a passphrase of some length'),
    `error: The passphrase of the backups is too short, or contains a space
   at backup.passphrase
   Use at least 16 characters, for example from openssl rand -base64 36. It cannot be changed later.`,
  ],
  'a repository that cannot be read': [
    () => kept(LOCKED),
    `error: backup1 cannot read its repository in /var/lib/pgbackrest
   ERROR: [031]: no passphrase
   It was not changed. If it was created with another passphrase, set that one again.`,
  ],
  'the repository of another cluster': [
    () => kept(HELD, '78'),
    `error: The repository on backup1 has the backups of another cluster
   the repository has system 77, the database hosts have system 78
   It was not changed. To restore its data: provision restore. To start again: mv /var/lib/pgbackrest /var/lib/pgbackrest.$(date +%F) on backup1, and run again. After an upgrade of PostgreSQL: sudo -u postgres pgbackrest --stanza=main stanza-upgrade on backup1.`,
  ],
  'an empty database where there are backups of one': [
    () => begun(HELD),
    `error: db1 has no database, but there are backups: 20261122-120000F
   Nothing was changed. To restore the data: provision restore --confirm notes.test. To create an empty database, move the repository aside on its host.`,
  ],
  'an empty database where there may be backups of one': [
    () => begun(undefined),
    `error: db1 has no database, and it is unknown if there are backups
   Nothing was changed. Make the backup host reachable, and run again.`,
  ],
  'a restore without the host of the backups': [
    () => broughtBack(undefined),
    `error: The backup host cannot be reached
   Nothing was changed on db1. Make it reachable, and run again.`,
  ],
  'a restore of what cannot be read': [
    () => broughtBack(LOCKED),
    `error: The backups cannot be read: ERROR: [031]: no passphrase
   Nothing was changed on db1. Check the backup host.`,
  ],
  'a restore of nothing': [
    () => broughtBack(EMPTY),
    `error: There is no backup to restore
   Nothing was changed on db1. For the content of the repository: pgbackrest info.`,
  ],
  'a restore to now': [
    () => broughtBack(HELD),
    `error: The database on db1 is running, and has all data of the backups
   Nothing was changed on db1. Set the point in time with --to.`,
  ],
  'a restore to a moment before all backups': [
    () => broughtBack(HELD, '2026-11-22 11:59:00Z'),
    `error: The oldest backup was taken after 2026-11-22 11:59:00.000000+00
   Nothing was changed on db1. The earliest possible time is 2026-11-22T12:00:00.000Z.`,
  ],
  'a restore to a moment to come': [
    () => broughtBack(HELD, '2026-11-22 13:00:01Z'),
    `error: 2026-11-22 13:00:01.000000+00 is in the future
   Nothing was changed on db1. Use a time in the past.`,
  ],
  'a restore test without a backup': [
    () =>
      restoreTest({
        ...{ host: 'backup1', run: 'mine', paths, repository: '/var/lib/pgbackrest', moment: undefined },
      }).diff([undefined, EMPTY]),
    `error: backup1 has no backup to restore
   Take one first: provision backup.`,
  ],
}

/** The full message of each refusal that protects a database or its backups. */
describe('errors of a database and its backups', () => {
  for (const [what, [given, text]] of Object.entries(CASES))
    it(`show the reason and the next action: ${what}`, async () => {
      expect((await wordsOf(given)).replace(/\/\S+\/provision-test-\w+/, 'DIR')).to.equal(text)
    })
})
