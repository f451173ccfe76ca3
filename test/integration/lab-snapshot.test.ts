import { existsSync } from 'node:fs'
import { expect } from 'chai'
import { labPaths } from '../../src/lab/base/paths.ts'
import { deleteSnapshot, downLab, type Lab, listSnapshots, upLab } from '../../src/lab/index.ts'
import { sql } from '../operations/database-load.ts'
import { databaseFiles } from '../operations/database-site.ts'
import { wordsOf } from '../support/words.ts'
import { eventually, ownLab, provision } from './support.ts'

const LAB = 'test-lab-snapshot'
const COPY = `${LAB}-copy`
const SNAPSHOT = 'test-lab-snapshot'

/** A database with a replica, which detects any lost or changed data. */
describe('a snapshot of a lab', function () {
  this.bail(true)
  const own = ownLab(LAB, ['db1', 'db2', 'app1'], () => databaseFiles(['db1', 'db2']))
  let copy: Lab

  before(async () => {
    await downLab(COPY)
    await forget()
    const { code, text } = await own.run()
    expect(code, text).to.equal(0)
  })
  after(async () => {
    await downLab(COPY)
    await forget()
  })

  const forget = async () => {
    if ((await listSnapshots()).some(({ name }) => name === SNAPSHOT)) await deleteSnapshot(SNAPSHOT)
  }
  const command = (...words: readonly string[]) => provision(['lab', ...words])
  const insert = (lab: Lab, text: string) =>
    sql(lab, 'db1', `insert into notes.note (text, host, idempotency_key) values ('${text}', 'x', '${text}')`, {
      database: 'notes',
    })
  const rows = async (lab: Lab, host: string) =>
    (await sql(lab, host, 'select text from notes.note order by text', { database: 'notes' })).stdout.trim()
  const replicas = async (lab: Lab) =>
    (await sql(lab, 'db1', "select application_name || ' ' || state from pg_stat_replication")).stdout.trim()

  it('is created while the lab is up, and the lab continues to run', async () => {
    expect((await insert(own.lab, 'before')).code).to.equal(0)
    const { code, text } = await command('snapshot', SNAPSHOT, '--name', LAB)
    expect(code, text).to.equal(0)
    expect(text)
      .to.match(/^powering off db1, db2, app1$/m)
      .and.match(/^The snapshot ".*" is made: /m)
    expect((await own.lab.status()).map(({ power }) => power)).to.deep.equal(['running', 'running', 'running'])
    await eventually(async () => (await replicas(own.lab)) === 'db2 streaming')
    expect((await insert(own.lab, 'later')).code).to.equal(0)
  })

  it('is listed with its hosts and its size', async () => {
    const snapshot = (await listSnapshots()).find(({ name }) => name === SNAPSHOT)
    expect(snapshot).to.deep.include({ lab: LAB, hosts: ['db1', 'db2', 'app1'] })
    expect(snapshot?.bytes).to.be.above(100 * 2 ** 20)
    expect((await command('snapshots')).text).to.match(
      /^test-lab-snapshot +\d{4}-\d\d-\d\d \d\d:\d\d +test-lab-snapshot +1[23] +\d+ MiB +db1 db2 app1$/m,
    )
  })

  it('becomes a second lab, with the rows of the time of the snapshot on the primary and its replica', async () => {
    const { code, text } = await command('up', '--name', COPY, '--from', SNAPSHOT)
    expect(code, text).to.equal(0)
    copy = await upLab({ name: COPY })
    await eventually(async () => (await replicas(copy)) === 'db2 streaming')
    expect([await rows(copy, 'db1'), await rows(copy, 'db2')]).to.deep.equal(['before', 'before'])
    expect(await rows(own.lab, 'db2')).to.equal('before\nlater')
    const log = await copy.exec('db1', 'cat /var/log/postgresql/*.log; journalctl -q -u "postgresql@*"')
    expect(log.stdout).to.include('database system is ready').and.not.include('not properly shut down')
  })

  it('has the key and the secrets of the first lab, and its own ports', async () => {
    expect(copy.secret('app')).to.equal(own.lab.secret('app'))
    const [here, there] = [copy.host('db1').ssh, own.lab.host('db1').ssh]
    expect(here.hostKey).to.equal(there.hostKey)
    expect(here.port).to.not.equal(there.port)
    expect(copy.ports).to.not.deep.equal(own.lab.ports)
  })

  it('is a converged site: a run changes nothing', async () => {
    const { code, text } = await own.run([], { LAB: COPY })
    expect(code, text).to.equal(0)
    expect(text).to.include('No changes')
  })

  it('does not change if a lab created from it changes', async () => {
    expect((await insert(copy, 'in the copy')).code).to.equal(0)
    await downLab(COPY)
    copy = await upLab({ name: COPY, from: SNAPSHOT })
    await eventually(async () => (await replicas(copy)) === 'db2 streaming')
    expect(await rows(copy, 'db2')).to.equal('before')
  })

  it('is rejected if it does not fit', async () => {
    expect(await wordsOf(() => own.lab.snapshot(SNAPSHOT))).to.equal(
      `error: There is a snapshot "${SNAPSHOT}" already.
   provision lab delete-snapshot ${SNAPSHOT}, or choose another name.`,
    )
    expect((await own.lab.status()).map(({ power }) => power)).to.deep.equal(['running', 'running', 'running'])
    expect(await wordsOf(() => upLab({ name: COPY, from: SNAPSHOT }))).to.equal(
      `error: The lab "${COPY}" already exists.
   provision lab down --name ${COPY}, or give another --name.`,
    )
    const newer = (await listSnapshots())[0]?.debian === 13 ? 12 : 13
    expect(await wordsOf(() => upLab({ name: 'test-none', from: SNAPSHOT, debian: newer }))).to.match(
      /^error: The hosts of the snapshot "test-lab-snapshot" run Debian 1[23]\.\n {3}Leave out --debian 1[23], or --from test-lab-snapshot\.$/,
    )
    expect(await wordsOf(() => upLab({ name: 'test-none', from: 'test-lab-snapshop' }))).to.match(
      /^error: There is no snapshot "test-lab-snapshop"\.\n {3}Did you mean "test-lab-snapshot"\?$/,
    )
    expect(existsSync(labPaths('test-none').directory)).to.equal(false)
  })

  it('can be deleted while labs created from it exist', async () => {
    const { code, text } = await command('delete-snapshot', SNAPSHOT)
    expect(code, text).to.equal(0)
    expect((await listSnapshots()).map(({ name }) => name)).to.not.include(SNAPSHOT)
    await copy.reset('db1')
    await eventually(async () => (await rows(copy, 'db1').catch(() => '')) === 'before')
  })
})
