import { expect } from 'chai'
import { backupProblem } from '../../roles/backup/checks.ts'
import { ARCHIVING, backupRepository, backupSource } from '../../roles/backup/index.ts'
import { parsePointInTime } from '../../roles/backup/lib/point-in-time.ts'
import { type Backup, parseRepositoryInfo, type RepositoryInfo } from '../../roles/backup/lib/repository-info.ts'
import { backupScript } from '../../roles/backup/lib/timers.ts'
import { takeBackup } from '../../roles/backup/resources/backup.ts'
import { noExistingBackups } from '../../roles/backup/resources/existing-backups.ts'
import { moveDataAside } from '../../roles/backup/resources/old-data.ts'
import { restoreDatabase } from '../../roles/backup/resources/restore.ts'
import { restoreTest } from '../../roles/backup/resources/restore-test.ts'
import { stanza } from '../../roles/backup/resources/stanza.ts'
import type { ClusterState } from '../../roles/postgres/lib/cluster-state.ts'
import { pathsOf } from '../../roles/postgres/params.ts'
import { Problem } from '../../src/model/problem.ts'
import { Secret } from '../../src/shell/secret.ts'
import { FACTS, stepsOf, textAt, textsOf } from './expanded.ts'

const PASSPHRASE = 'a-passphrase-of-some-length'
const party = {
  certificate: { certificate: '-----BEGIN CERTIFICATE-----', key: new Secret(() => 'the-key-of-db1') },
  authority: 'the authority',
}
const db1 = { name: 'db1', address: '198.18.0.41' }
const db2 = { name: 'db2', address: '198.18.0.42' }
const backup1 = { name: 'backup1', address: '198.18.0.51' }

const repository = (more: object = {}) =>
  stepsOf(
    backupRepository({
      ...party,
      ...backup1,
      ...{ sources: [db1, db2], found: undefined, passphrase: new Secret(() => PASSPHRASE) },
      ...more,
    }),
  )
const CONFIG = '/etc/pgbackrest/pgbackrest.conf'

const NOON = Date.parse('2026-11-22T12:00:00Z') / 1000
const taken = (label: string, stop: number, more: Partial<Backup> = {}): Backup => ({
  ...{ label, type: 'full', start: stop - 3, stop, size: 1000, added: 100, damaged: false, run: undefined },
  ...more,
})
const held = (more: Partial<RepositoryInfo> = {}): RepositoryInfo => ({
  ...{ system: '7711067691810880071', problem: undefined, asked: NOON + 3600 },
  backups: [taken('20261122-120000F', NOON)],
  ...more,
})
const cluster = (more: object = {}): ClusterState => ({
  ...{
    kind: 'cluster',
    version: 15,
    standby: false,
    running: true,
    system: '7711067691810880071',
    timeline: 1,
    state: 'in production',
  },
  ...more,
})
const NOTHING: ClusterState = { kind: 'nothing' }

describe('the backup host', () => {
  it('allows each database host for its cluster, and connects to each by its name', () => {
    const conf = textAt(repository(), CONFIG)
    expect(conf).to.include('tls-server-auth=db1=main\ntls-server-auth=db2=main\n')
    expect(conf).to.include('pg1-host=db1\n').and.include('pg2-host=db2\n').and.include('repo1-retention-full=2\n')
    expect(repository().map(({ name }) => name)).to.include('/etc/hosts: 198.18.0.42 db2')
  })

  it('has the passphrase in a separate file that no diff shows', () => {
    const texts = textsOf(repository())
    expect(texts.has('/etc/pgbackrest/conf.d/passphrase.conf')).to.equal(true)
    expect(texts.get('/etc/pgbackrest/conf.d/passphrase.conf')).to.equal(undefined)
    expect([...texts.values()].join()).not.to.include(PASSPHRASE)
  })

  it('prefers a replica if there are several database hosts', () => {
    expect(backupScript(true)).to.match(/--backup-standby .*\n[\s\S]*56\) .*run/)
    expect(backupScript(false)).not.to.include('standby')
  })
})

describe('a database host with backups', () => {
  const steps = stepsOf(backupSource({ ...party, ...db1, repository: backup1 }))

  it('refers only to the backup host, and has no passphrase', () => {
    const conf = textAt(steps, CONFIG)
    expect(conf).to.include('repo1-host=backup1\n').and.include('tls-server-auth=backup1=main\n')
    expect(conf).to.include('pg1-path=/var/lib/postgresql/15/main\n')
    expect(conf).not.to.include('cipher').and.not.include('db2')
  })

  it('drops WAL only beyond its limit, and otherwise pings the backup host first', () => {
    const script = textAt(steps, '/usr/local/libexec/pgbackrest-archive')
    expect(script).to.include('-lt 512 ] || push').and.include('server-ping --log-level-console=error backup1 ||')
    expect(textAt(steps, CONFIG)).to.include('archive-push-queue-max=8GiB\n')
  })

  it('archives its WAL once a minute, and has no restore_command: a promotion would wait for it', () => {
    expect(ARCHIVING).to.include({ archive_mode: true, archive_timeout: '60s' })
    expect(ARCHIVING).not.to.have.property('restore_command')
  })
})

describe('the state of the repository', () => {
  const info = [
    {
      backup: [
        {
          ...{ label: '20261122-184106F', type: 'full', error: false, timestamp: { start: 1, stop: 4 } },
          info: { size: 30_747_505, repository: { delta: 3_790_288 } },
        },
        {
          ...{
            label: '20261122-184106F_20261122-184215I',
            type: 'incr',
            error: true,
            timestamp: { start: 5, stop: 6 },
          },
          ...{ info: { size: 1, repository: { delta: 1 } }, annotation: { provision: 'this run' } },
        },
      ],
      status: { code: 0, message: 'ok' },
      name: 'main',
    },
  ]
  const json = JSON.stringify(info).replace(
    '"name"',
    '"db":[{"id":1,"system-id":7711067691810880071,"version":"15"}],"name"',
  )

  it('contains the system identifier with all digits', () => {
    const { system, backups, asked } = parseRepositoryInfo(`1795372866\n${json}`)
    expect(system).to.equal('7711067691810880071')
    expect(asked).to.equal(1_795_372_866)
    expect(backups.map(({ type, run, damaged }) => [type, run, damaged])).to.deep.equal([
      ['full', undefined, false],
      ['incr', 'this run', true],
    ])
  })

  it('is empty without pgBackRest, and a problem if it cannot be read', () => {
    expect(parseRepositoryInfo('')).to.include({ system: undefined, problem: undefined })
    expect(parseRepositoryInfo('1\n[]').system).to.equal(undefined)
    expect(parseRepositoryInfo('1\nERROR: [031]: no passphrase\n').problem).to.equal('ERROR: [031]: no passphrase')
    expect(parseRepositoryInfo('1\n[{"status":{"code":99,"message":"other"}}]').problem).to.equal('other')
  })

  it('has a problem if the newest backup is missing, damaged, or older than a day and two hours', () => {
    expect(backupProblem(held())).to.equal(undefined)
    expect(backupProblem(held({ asked: NOON + 27 * 3600 }))).to.equal(
      'the newest backup, 20261122-120000F, is 27 hours old',
    )
    expect(backupProblem(held({ backups: [taken('F', NOON, { damaged: true })] }))).to.include('wrong checksums')
    expect(backupProblem(held({ backups: [] }))).to.equal('there is no backup')
  })
})

describe('the stanza of the repository', () => {
  const step = (system: string | undefined) => stanza({ host: 'backup1', path: '/var/lib/pgbackrest', system })

  it('is created once', () => {
    expect(step('77').diff(held({ system: undefined }))?.action).to.equal('create')
    expect(step('7711067691810880071').diff(held())).to.equal(undefined)
    expect(step(undefined).diff(held())).to.equal(undefined)
  })

  it('cannot belong to another cluster than the backups', () => {
    expect(() => step('78').diff(held())).to.throw(Problem, 'has the backups of another cluster')
    expect(() => step('78').diff(held({ problem: 'no passphrase' }))).to.throw(Problem, 'cannot read its repository')
  })

  it('blocks a new cluster if backups exist, or if the repository is unknown', () => {
    const refusing = (given: RepositoryInfo | undefined, empty = true) =>
      noExistingBackups({ host: 'db1', domain: 'notes.test', empty, held: given })
    expect(() => refusing(held()).diff(NOTHING)).to.throw(Problem, 'there are backups: 20261122-120000F')
    expect(() => refusing(undefined).diff(NOTHING)).to.throw(Problem, 'it is unknown if there are backups')
    expect(refusing(held({ backups: [] })).diff(NOTHING)).to.equal(undefined)
    expect(refusing(held(), false).diff(NOTHING)).to.equal(undefined)
    expect(refusing(held()).diff(cluster())).to.equal(undefined)
  })
})

describe('a requested backup', () => {
  it('is taken if this run has none yet', () => {
    const step = takeBackup({ type: 'diff', run: 'mine' })
    expect(step.diff(held())?.action).to.equal('run')
    expect(step.diff(held({ backups: [taken('F', NOON, { run: 'mine' })] }))).to.equal(undefined)
  })
})

describe('a restore', () => {
  const paths = pathsOf({}, FACTS)
  const step = (to: string | undefined, given: RepositoryInfo | undefined = held()) =>
    restoreDatabase({
      ...{ host: 'db1', paths, run: 'mine', timeline: undefined },
      to: to === undefined ? undefined : parsePointInTime(to),
      held: given,
    })
  const refusal = (to: string | undefined, given?: RepositoryInfo) => () => step(to, given).diff([cluster(), ''])

  it('accepts a time between the oldest backup and now', () => {
    expect(step('2026-11-22 12:30:00Z').diff([cluster(), ''])?.action).to.equal('change')
    expect(refusal('2026-11-22 11:59:00Z')).to.throw(Problem, 'The oldest backup was taken after')
    expect(refusal('2026-11-22 13:00:01Z')).to.throw(Problem, 'is in the future')
  })

  it('requires a time if the database runs, and none if it is lost', () => {
    expect(refusal(undefined)).to.throw(Problem, 'The database on db1 is running')
    expect(step(undefined).diff([NOTHING, ''])?.action).to.equal('change')
    expect(refusal('2026-11-22 12:30:00Z', held({ backups: [] }))).to.throw(Problem, 'no backup to restore')
  })

  it('is done once in a run', () => {
    expect(step('2026-11-22 12:30:00Z').diff([cluster(), 'mine'])).to.equal(undefined)
  })

  it('removes only its own files beside the data', () => {
    const [command] = step('2026-11-22 12:30:00Z').apply([cluster(), ''])
    const removed = [...(command?.script.text ?? '').matchAll(/rm -\w+ ([^;\n]*)/g)].map(([, what]) => what)
    expect(removed).to.deep.equal(['"$at"', '"$at"', '"$at/postgresql.conf" "$at/pg_hba.conf" "$at/pg_ident.conf"'])
    expect(command?.script.text).to.include('at=/var/lib/postgresql/15/.main.restore')
  })

  it('moves the data of a replica aside only if the primary is on a later timeline', () => {
    const script = (found: ClusterState) =>
      moveDataAside({ paths, primary: 'db1', found }).apply(cluster({ standby: true }))[0]?.script.text
    expect(script(cluster({ timeline: 2 })))
      .to.include('mv -T')
      .and.not.include('rm ')
    expect(script(cluster({ timeline: 1 })))
      .to.include('exit 1')
      .and.not.include('mv ')
    expect(script(cluster({ timeline: 2, running: false }))).to.include('exit 1')
  })
})

describe('a restore test', () => {
  const moment = { run: 'mine', lsn: '0/5000028', rows: ['notes notes.note 3'] }
  const step = restoreTest({
    host: 'backup1',
    run: 'mine',
    paths: pathsOf({}, FACTS),
    repository: '/var/lib/pgbackrest',
    moment,
  })

  it('recovers to the exact WAL position of the row counts', () => {
    expect(step.apply([undefined, held()])[0]?.script.text)
      .to.include('--target=0/5000028')
      .and.include('recovery_target_inclusive=off')
  })

  it('reports that there is no backup to restore', () => {
    expect(() => step.diff([undefined, held({ backups: [] })])).to.throw(Problem, 'no backup to restore')
    expect(step.diff(['mine', held()])).to.equal(undefined)
  })
})

describe('the point in time of a restore', () => {
  it('is parsed with its offset, and printed in UTC', () => {
    for (const given of [
      '2026-11-22 12:00:00+00',
      '2026-11-22T12:00Z',
      '2026-11-22 13:00:00+01',
      '2026-11-22 17:30:00+05:30',
    ])
      expect(parsePointInTime(given), given).to.deep.equal({
        text: '2026-11-22 12:00:00.000000+00',
        seconds: NOON,
      })
    expect(parsePointInTime('2026-11-22 12:00:00.25-0000').text).to.equal('2026-11-22 12:00:00.250000+00')
  })

  it('is rejected without an offset, and if the date does not exist', () => {
    for (const given of ['2026-11-22 12:00:00', 'yesterday', '2026-13-01 00:00Z', '2026-11-22 12:00 CET'])
      expect(() => parsePointInTime(given), given).to.throw(Problem, 'is not a point in time')
  })
})
