import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { expect } from 'chai'
import type { Host } from 'provision-ts'
import { pauseSyncReplication } from '../../roles/postgres/lib/pause-sync-replication.ts'

/** The scripts with a server that does not answer. With one that does, test/operations has them on real hosts. */
describe('whether writes wait for a replica, when the primary does not answer', () => {
  const host = (name: string): Host => ({ name, group: 'db', address: '10.0.0.1' })
  const around = pauseSyncReplication({ hosts: [host('db1'), host('db2')] })
  let root: string
  let file: string

  beforeEach(() => {
    root = mkdtempSync(`${tmpdir()}/provision-sync-`)
    mkdirSync(`${root}/conf.d`)
    file = `${root}/conf.d/91-synchronous.conf`
    writeFileSync(file, '')
  })
  afterEach(() => rmSync(root, { recursive: true }))

  /** On db1, around the turn of db2. No query is answered. */
  const run = (when: 'drain' | 'undrain', server: 'runs' | 'is down') => {
    const [errand, ...others] = around[when](host('db2'))
    expect(others).to.deep.equal([])
    const machine = `ls() { echo ${root}; }
setpriv() { return 2; }
systemctl() { return ${server === 'runs' ? 0 : 3}; }
`
    const { status, stderr } = spawnSync('sh', ['-c', machine + errand?.script.text], {
      encoding: 'utf8',
      env: { ...process.env, PROVISION_TIMEOUT_PERCENT: '1' },
    })
    return { status, stderr: stderr.trim() }
  }

  it('the turn of the replica does not begin', () => {
    expect(run('drain', 'runs')).to.deep.equal({
      status: 1,
      stderr: 'the database does not answer, so it may be a primary with synchronous replication',
    })
    expect(existsSync(file)).to.equal(true)
    expect(run('drain', 'is down')).to.deep.equal({ status: 0, stderr: '' })
  })

  it('the setting is not deleted after the turn, and is back where the server is down', () => {
    renameSync(file, `${file}.away`)
    expect(run('undrain', 'runs')).to.deep.equal({
      status: 1,
      stderr: 'the database does not answer, so synchronous replication is still paused',
    })
    expect(existsSync(`${file}.away`)).to.equal(true)
    expect(run('undrain', 'is down')).to.deep.equal({ status: 0, stderr: '' })
    expect(existsSync(file)).to.equal(true)
  })
})
