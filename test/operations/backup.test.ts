import { expect } from 'chai'
import { downLab, type Lab, upLab } from '../../src/lab/index.ts'
import { Desk, type Ended, eventually, freshLab, noHosts, provision, ROOT } from '../integration/support.ts'

const LAB = 'test-backup'

/** Two database hosts and a backup host; each test depends on those before it. */
describe('backups, on real hosts', function () {
  this.slow('60s').bail(true)
  let lab: Lab
  let desk: Desk

  before(async function () {
    if (noHosts()) return this.skip()
    desk = new Desk()
    lab = await freshLab({ name: LAB, hosts: ['db1', 'db2', 'backup1'] })
    desk.write('inventory.ts', INVENTORY)
    desk.write('database.ts', DATABASE)
  })

  after(async () => {
    desk?.remove()
    if (!noHosts()) await downLab(LAB)
  })

  const run = (playbook: string, args: readonly string[] = [], hosts = 'db1,db2'): Promise<Ended> => {
    const named = playbook === 'database' ? `${desk.directory}/database.ts` : playbook
    const inventory = `${desk.directory}/inventory.ts`
    return provision([named, '--inventory', inventory, '--no-type-check', ...args], { LAB, HOSTS: hosts })
  }
  const postgres = async (host: string, command: string): Promise<string> => {
    const { code, stdout, stderr } = await lab.exec(
      host,
      `cd / && exec setpriv --reuid postgres --regid postgres --init-groups ${command}`,
    )
    if (code !== 0) throw new Error(stderr)
    return stdout.trim()
  }
  const query = (host: string, sql: string) => postgres(host, `psql -XAtq -v ON_ERROR_STOP=1 notes -c "${sql}"`)
  const rows = (host: string) => query(host, "select count(*) || ' ' || coalesce(max(text), '') from notes.note")
  const backups = async () =>
    [...(await postgres('backup1', 'pgbackrest --stanza=main info')).matchAll(/ backup: (\S+)/g)].map(
      ([, label]) => label,
    )

  it('are configured and started with the databases, and a second run changes nothing', async () => {
    const { code, text } = await run('database')
    expect(code, text).to.equal(0)
    await eventually(async () => (await backups()).length === 1)
    const again = await run('database')
    expect(again.code, again.text).to.equal(0)
    expect(again.text).to.match(/No changes: \d+ steps ok on 6 hosts\. .*at most 2 round trips per host/)
  })

  it('are encrypted on their host, and no database host has the passphrase', async () => {
    const passphrase = lab.secret('backup')
    const has = async (host: string) =>
      (await lab.exec(host, `grep -rlF -e ${passphrase} /etc /var/lib/provision /var/log 2>/dev/null`)).stdout.trim()
    expect(await has('db1')).to.equal('')
    expect(await has('backup1')).to.equal('/etc/pgbackrest/conf.d/passphrase.conf')
    const { stdout } = await lab.exec('backup1', 'stat -c "%a %U:%G" /etc/pgbackrest/conf.d/passphrase.conf')
    expect(stdout.trim()).to.equal('640 root:postgres')
  })

  it('are taken from the replica, or from the primary if there is no replica', async () => {
    await query(
      'db1',
      'set role notes_owner; create table notes.note (id bigint generated always as identity primary key, text text)',
    )
    await query(
      'db1',
      "set role notes_owner; insert into notes.note (text) select 'note ' || i from generate_series(1, 20000) i",
    )
    const { code, text } = await run('backup', ['--type', 'diff'])
    expect(code, text).to.equal(0)
    expect(text).to.match(/backup diff: diff \S+F_\S+D, database size/)
    await lab.exec('db2', 'systemctl stop postgresql@15-main')
    const alone = await run('backup')
    await lab.exec('db2', 'systemctl start postgresql@15-main')
    expect(alone.code, alone.text).to.equal(0)
    expect(await backups()).to.have.length(3)
  })

  it('are restored and checked row by row while the database accepts writes', async () => {
    await lab.exec('db1', WRITES)
    const { code, text } = await run('restore-test')
    await lab.exec('db1', 'touch /tmp/stop; sleep 1')
    expect(code, text).to.equal(0)
    expect(text).to.match(/1 tables, \d{5,} rows, as on the replica/)
    expect((await lab.exec('backup1', 'ls /var/lib/postgresql/restore-test')).stdout).not.to.match(/data|tablespaces/)
    expect(await query('db2', 'select pg_get_wal_replay_pause_state()')).to.equal('not paused')
  })

  it('fail the restore test if one byte of them is wrong', async () => {
    const bundle = '$(find /var/lib/pgbackrest/backup/main/*F/bundle -type f -size +100k | head -n 1)'
    await lab.exec(
      'backup1',
      `f=${bundle}; cp -a $f /root/kept; printf XXXX | dd of=$f bs=1 seek=70000 conv=notrunc status=none`,
    )
    const { code, text } = await run('restore-test')
    await lab.exec('backup1', `cp -a /root/kept ${bundle}`)
    expect(code, text).to.equal(1)
    expect(text).to.match(/restore test of the newest backup .* failed[\s\S]*ERROR: \[/, text)
  })

  it('are not restored by mistake, or to a time that they do not contain', async () => {
    const before = await rows('db1')
    const refused = async (...args: string[]) => (await run('restore', args)).text
    expect(await refused('--to', '2026-01-01 00:00:00+00')).to.include('add --confirm notes.test')
    expect(await refused('--to', '2026-01-01 00:00', '--confirm', 'notes.test')).to.include('is not a point in time')
    expect(await refused('--confirm', 'notes.test')).to.include('The database on db1 is running')
    const early = await run('restore', ['--to', '2020-01-01 00:00:00+00', '--confirm', 'notes.test'])
    expect(early.code).to.equal(1)
    expect(early.text).to.include('The oldest backup was taken after 2020-01-01 00:00:00.000000+00')
    expect(await rows('db1')).to.equal(before)
  })

  it('recover deleted data: the database as it was at a given time', async () => {
    await query('db1', "set role notes_owner; insert into notes.note (text) values ('precious')")
    const before = await rows('db1')
    await new Promise((done) => setTimeout(done, 1_000))
    const moment = await query('db1', 'select now()')
    await new Promise((done) => setTimeout(done, 1_000))
    await query('db1', 'set role notes_owner; delete from notes.note')
    const { code, text, ms } = await run('restore', ['--to', moment, '--confirm', 'notes.test'])
    console.log(`    restored to a moment, replica made again: ${(ms / 1000).toFixed(1)} s`)
    expect(code, text).to.equal(0)
    expect(await rows('db1')).to.equal(before)
    await eventually(async () => (await rows('db2')) === before)
    expect((await lab.exec('db1', 'ls /var/lib/postgresql/15')).stdout).to.match(/main\.before-restore\.\d{8}T/)
    const again = await run('database')
    expect(again.text).to.include('No changes')
  })

  it('do not delay the stop of a server if the backup host is off', async () => {
    await lab.kill('backup1')
    await query('db1', 'create table public.while_away (i int)')
    const began = performance.now()
    await lab.exec('db1', 'systemctl stop postgresql@15-main')
    const ms = performance.now() - began
    await lab.exec('db1', 'systemctl start postgresql@15-main')
    await lab.start('backup1')
    console.log(`    without the repository the primary stops in ${(ms / 1000).toFixed(1)} s`)
    // The pending WAL is sent.
    const { code, text } = await run('database')
    expect(code, text).to.equal(0)
  })

  it('recover everything if no database host is left, and a run does not start with an empty database', async () => {
    await run('backup')
    await query('db1', "set role notes_owner; insert into notes.note (text) values ('the very last words')")
    const segment = await query('db1', 'select pg_walfile_name(pg_switch_wal())')
    const wanted = await rows('db1')
    await eventually(
      async () => (await query('db1', `select last_archived_wal >= '${segment}' from pg_stat_archiver`)) === 't',
    )
    await Promise.all([lab.kill('db1'), lab.kill('db2')])
    await upLab({ name: LAB, hosts: ['db3'] })
    await Promise.all([lab.kill('db1'), lab.kill('db2')].map((one) => one.catch(() => undefined)))
    const refused = await run('database', [], 'db3')
    expect(refused.code, refused.text).to.equal(1)
    expect(refused.text).to.match(/db3 has no database, but there are backups/)
    const { code, text, ms } = await run('restore', ['--confirm', 'notes.test'], 'db3')
    console.log(`    a new machine has the database: ${(ms / 1000).toFixed(1)} s, packages included`)
    expect(code, text).to.equal(0)
    expect(await rows('db3')).to.equal(wanted)
    const again = await run('database', [], 'db3')
    expect(again.text).to.include('No changes')
  })
})

const WRITES = `
rm -f /tmp/stop
setsid sh -c 'cd /; n=0; until [ -e /tmp/stop ]; do n=$((n+1)); setpriv --reuid postgres --regid postgres --init-groups psql -XAtq notes -c "insert into notes.note (text) select $n from generate_series(1, 100)"; done' >/dev/null 2>&1 </dev/null &`

const INVENTORY = `
import { inventory, secret } from 'provision-ts'
import { authority } from 'provision-ts/pki'
import { openLab } from 'provision-ts/lab'
import { notes } from '${ROOT}/inventory/notes.ts'
import { siteSchema as site } from 'provision-ts/stack'

export default async () => {
  const lab = openLab(process.env['LAB'] ?? '')
  const ca = await authority(\`\${lab.directory}/pki\`)
  const at = async (name: string) => {
    const { address, ssh } = lab.host(name)
    return { address, ssh, certificate: await ca.keyPair({ names: [name], addresses: [address] }) }
  }
  const names = (process.env['HOSTS'] ?? '').split(',')
  const databases = await Promise.all(names.map(async (name, i) => [name, { ...(await at(name)), seed: i === 0 }]))
  // Hosts that there are not: a connection is refused.
  const nowhere = (address: string) => ({ address, ssh: { host: '127.0.0.1', port: 1 } })
  return inventory(site, {
    domain: 'notes.test',
    application: notes,
    vip: \`\${lab.vip}/24\`,
    certificate: await ca.keyPair({ names: ['notes.test'] }),
    authority: ca.certificate,
    updates: false,
    passwords: { app: secret.of(lab.secret('app')), replication: secret.of(lab.secret('replication')) },
    // No play of these tiers runs. app1, lb1 and lb2 would get a copy of the record of the primary, and cannot be reached.
    lb: { hosts: { lb1: { ...nowhere('198.18.0.11'), priority: 250 }, lb2: { ...nowhere('198.18.0.12'), priority: 240 } } },
    web: { port: 8080, hosts: { web1: nowhere('198.18.0.21') } },
    app: { port: 3000, hosts: { app1: nowhere('198.18.0.31') } },
    db: { hosts: Object.fromEntries(databases) },
    backup: { passphrase: secret.of(lab.secret('backup')), hosts: { backup1: await at('backup1') } },
  })
}
`

const DATABASE = `
import { playbook } from 'provision-ts'
import { siteSchema as site } from 'provision-ts/stack'
import { backupTier, databaseTier } from 'provision-ts/stack'

export default playbook(site, (values) => [...databaseTier(values), ...backupTier(values)])
`
