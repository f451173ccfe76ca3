import { spawnSync } from 'node:child_process'
import { expect } from 'chai'
import { matchesVerifier, scramVerifier } from '../../roles/postgres/lib/scram.ts'
import { postgresPrimary } from '../../roles/postgres-primary/index.ts'
import { postgresReplica } from '../../roles/postgres-replica/index.ts'
import { InvalidParams, Problem } from '../../src/model/problem.ts'
import { Secret } from '../../src/shell/secret.ts'
import { stepsOf, textAt } from './expanded.ts'
import { COMMON, PRIMARY, said, stepOf, stepsWith } from './postgres.ts'

const params = { ...COMMON, replicas: COMMON.peers }
const steps = stepsOf(postgresPrimary(params))
const SETTINGS = '/etc/postgresql/15/main/conf.d/90-provision.conf'

describe('postgres-primary', () => {
  it("disables Debian's default cluster before it installs the package", () => {
    expect(steps.slice(1, 3).map(({ name }) => name)).to.deep.equal([
      '/etc/postgresql-common/createcluster.d/provision.conf',
      'postgresql-15',
    ])
  })

  it('uses the version of the Debian release by default', () => {
    const version = (release: string) =>
      stepOf(stepsOf(postgresPrimary(params), { os: { id: 'debian', version: release, codename: 'x' } }), 'package')
        .name
    expect(version('12')).to.equal('postgresql-15')
    expect(version('13')).to.equal('postgresql-17')
    expect(() => version('11')).to.throw(InvalidParams, 'debian 11 has no version')
  })

  it('listens only on its own address, with TLS', () => {
    const conf = textAt(steps, SETTINGS)
    expect(conf).to.include(`listen_addresses = '198.18.0.41,localhost'`)
    expect(conf).to.include('ssl = on').and.include(`ssl_min_protocol_version = 'TLSv1.2'`)
    expect(conf).to.include(`cluster_name = 'db1'`).and.include('max_connections = 100')
  })

  it('allows only each client for each database, and the other database hosts', () => {
    expect(textAt(steps, '/etc/postgresql/15/main/pg_hba.conf').split('\n').slice(1)).to.deep.equal([
      'local all postgres peer',
      'local "notes" "notes_owner" peer map=owner',
      'hostssl "notes" "notes" 198.18.0.31/32 scram-sha-256',
      'hostssl replication replicator 198.18.0.42/32 scram-sha-256',
      'hostssl postgres replicator 198.18.0.42/32 scram-sha-256',
      'host replication all all reject',
      'host all all all reject',
      '',
    ])
  })

  it('has a role that reads statistics over the local socket, if a monitor is named', () => {
    const monitored = stepsOf(postgresPrimary({ ...params, monitor: 'prometheus' }))
    expect(textAt(monitored, '/etc/postgresql/15/main/pg_hba.conf')).to.include('local postgres "prometheus" peer\n')
    const roleIn = (all: typeof steps) =>
      all.find(({ kind, name }) => kind === 'database role' && name === 'prometheus')
    expect(roleIn(monitored)?.diff({ rights: 'login', password: null, groups: [] })?.fields).to.deep.equal([
      { name: 'member of pg_monitor', from: 'no', to: 'yes' },
    ])
    expect(roleIn(steps)).to.equal(undefined)
  })

  it('contains the settings of a standby, so that a change of roles changes no files', () => {
    const own = textAt(steps, SETTINGS)
    const replica = stepsWith(
      postgresReplica({ ...COMMON, primary: { name: 'db2', address: '198.18.0.42', group: 'db' } }),
      PRIMARY,
    )
    expect(own).to.include(`primary_conninfo = 'host=198.18.0.42 `).and.include(`primary_slot_name = 'db1'`)
    expect(textAt(replica, SETTINGS)).to.equal(own)
  })

  it('checks its peers before it starts as a primary', () => {
    const program = textAt(steps, '/usr/local/libexec/provision-postgres-fence')
    expect(program).to.include('host=198.18.0.42 ').and.include('IDENTIFY_SYSTEM')
    expect(textAt(steps, '/etc/systemd/system/postgresql@15-main.service.d/provision.conf')).to.include(
      'ExecCondition=+systemd-cat -t provision-postgres-fence /usr/local/libexec/provision-postgres-fence',
    )
    const { status, stderr } = spawnSync('sh', ['-n'], { input: program, encoding: 'utf8' })
    expect(status, stderr).to.equal(0)
  })

  it('checks them while it runs, too, so that a replaced primary stops', () => {
    expect(textAt(steps, '/etc/systemd/system/provision-postgres-fence.service')).to.include(
      'ExecStart=/usr/local/libexec/provision-postgres-fence watch',
    )
    expect(stepOf(steps, 'service', 'provision-postgres-fence')).not.to.equal(undefined)
  })

  it('rejects a version that the Debian release does not have', () => {
    expect(() => stepsOf(postgresPrimary({ ...params, version: 17 }))).to.throw(
      InvalidParams,
      'Debian 12 does not have PostgreSQL 17.',
    )
  })

  it('rejects an empty password before any change', () => {
    const role = stepOf(
      stepsOf(postgresPrimary({ ...params, passwords: { replication: new Secret(() => '') } })),
      'database role',
      'replicator',
    )
    expect(() => role.diff(undefined)).to.throw(Problem, 'is empty')
  })

  it('accepts additional settings, and overrides of its own', () => {
    const conf = textAt(
      stepsOf(postgresPrimary({ ...params, settings: { max_connections: 300, search_path: `it's` } })),
      SETTINGS,
    )
    expect(conf).to.include('max_connections = 300').and.include(`search_path = 'it''s'`)
    expect(conf.match(/max_connections/g)).to.have.length(1)
  })

  it('uses a power of two of the memory for buffers, within bounds', () => {
    const buffers = (gib: number) =>
      /shared_buffers = '(\w+)'/.exec(
        textAt(stepsOf(postgresPrimary(params), { memory: gib * 2 ** 30 }), SETTINGS),
      )?.[1]
    expect([0.25, 1.9, 2.1, 64].map(buffers)).to.deep.equal(['128MB', '256MB', '512MB', '8192MB'])
  })

  it('creates a slot for each replica, with a valid name', () => {
    const slots = stepsOf(postgresPrimary({ ...params, replicas: [{ name: 'db-2' }] }))
    expect(stepOf(slots, 'replication slot').name).to.equal('db_2')
  })

  it('never changes existing data', () => {
    const data = stepOf(steps, 'database cluster')
    expect(data.diff({ kind: 'nothing' })?.action).to.equal('create')
    expect(data.diff(PRIMARY)).to.equal(undefined)
    expect(() => data.diff({ ...PRIMARY, version: 13 })).to.throw(Problem, 'data of PostgreSQL 13')
    expect(() => data.diff({ kind: 'lost' })).to.throw(Problem, 'no data')
  })

  it('does not report a changed password because of its salt', () => {
    const role = stepOf(steps, 'database role', 'notes')
    const have = (password: string) => ({ rights: 'login', password: scramVerifier(password) })
    expect(role.diff(have('app-password'))).to.equal(undefined)
    expect(role.diff(have('another'))?.fields.map(({ name }) => name)).to.deep.equal(['password'])
    expect(role.diff({ rights: 'login', password: null })?.action).to.equal('change')
    expect(role.diff(undefined)?.action).to.equal('create')
  })

  it('sends the SCRAM verifier, never the password, and nothing in an argument', () => {
    const { input, script } = said(stepOf(steps, 'database role', 'notes'), undefined)
    expect(input).to.match(/create role "notes" with login .* password 'SCRAM-SHA-256\$4096:/)
    expect(input).to.include(`set log_statement = 'none'`)
    expect(input + script).not.to.include('app-password')
    expect(script).not.to.include('SCRAM')
  })

  it('corrects the rights of a role without a new password', () => {
    const role = stepOf(steps, 'database role', 'notes')
    const { input } = said(role, { rights: 'login superuser', password: scramVerifier('app-password') })
    expect(input).to.include('nosuperuser').and.not.include('SCRAM')
  })

  it('never waits for a replica in its own statements', () => {
    for (const kind of ['database role', 'replication slot', 'database', 'database schema'])
      expect(said(stepOf(steps, kind), undefined).input).to.include(`set synchronous_commit = 'local'`)
  })

  it('allows only its own roles in the database, without the right to create objects', () => {
    const database = stepOf(steps, 'database')
    const rights = 'CONNECT of notes, CONNECT of notes_owner'
    expect(database.diff({ encoding: 'UTF8', rights })).to.equal(undefined)
    for (const more of ['CONNECT of everyone', 'TEMPORARY of notes'])
      expect(database.diff({ encoding: 'UTF8', rights: `${rights}, ${more}` })?.fields).to.have.length(1)
  })

  it('allows the owner of a schema only over the local socket, without a password', () => {
    const owner = stepOf(steps, 'database role', 'notes_owner')
    expect(owner.diff({ rights: 'login', password: null })).to.equal(undefined)
    expect(owner.diff({ rights: 'login', password: 'SCRAM-SHA-256$x' })?.fields).to.deep.equal([
      { name: 'password', from: 'another', to: 'none' },
    ])
    const hba = textAt(steps, '/etc/postgresql/15/main/pg_hba.conf')
    expect(hba.match(/.*notes_owner.*/g)).to.deep.equal(['local "notes" "notes_owner" peer map=owner'])
    expect(textAt(steps, '/etc/postgresql/15/main/pg_ident.conf')).to.match(/^owner postgres "notes_owner"$/m)
  })
})

describe('the SCRAM verifier of a password', () => {
  it('matches the example of RFC 7677', () => {
    const salt = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64')
    expect(scramVerifier('pencil', salt)).to.equal(
      'SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=',
    )
  })

  it('is compared with its own salt and iteration count', () => {
    expect(matchesVerifier('pencil', scramVerifier('pencil', Buffer.from('salt'), 100))).to.equal(true)
    expect(matchesVerifier('pencil', scramVerifier('Pencil'))).to.equal(false)
    expect(matchesVerifier('pencil', 'md5d41d8cd98f00b204e9800998ecf8427e')).to.equal(false)
  })
})
