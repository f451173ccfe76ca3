import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { expect } from 'chai'
import type { Host } from 'provision-ts'
import { pauseSyncReplication } from '../../roles/postgres/lib/pause-sync-replication.ts'

/** Runs the scripts with a server that does not answer. test/operations tests them with one that does, on real hosts. */
describe('the pause of synchronous replication, if the primary does not answer', () => {
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

  /** Runs the command of db1 for the drain of db2. Queries get no answer. */
  const run = (when: 'drain' | 'undrain', server: 'runs' | 'is down') => {
    const [command, ...others] = around[when](host('db2'))
    expect(others).to.deep.equal([])
    const machine = `ls() { echo ${root}; }
setpriv() { return 2; }
systemctl() { return ${server === 'runs' ? 0 : 3}; }
`
    const { status, stderr } = spawnSync('sh', ['-c', machine + command?.script.text], {
      encoding: 'utf8',
      env: { ...process.env, PROVISION_TIMEOUT_PERCENT: '1' },
    })
    return { status, stderr: stderr.trim() }
  }

  it('the drain of the replica does not start', () => {
    expect(run('drain', 'runs')).to.deep.equal({
      status: 1,
      stderr: 'the database does not answer, so it may be a primary with synchronous replication',
    })
    expect(existsSync(file)).to.equal(true)
    expect(run('drain', 'is down')).to.deep.equal({ status: 0, stderr: '' })
  })

  it('the setting is not deleted after the undrain, and is restored if the server is down', () => {
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
