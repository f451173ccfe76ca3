import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { expect } from 'chai'
import { PLACEHOLDER } from '../../roles/postgres/lib/promotion.ts'
import { RECORD as PATH, type PrimaryRecord, recordText } from '../../roles/postgres/lib/record.ts'
import { pathsFor } from '../../roles/postgres/params.ts'
import { fence } from '../../roles/postgres/resources/fence.ts'
import { stepsOf, textAt } from './expanded.ts'
import { RECORD } from './records.ts'

/** Tests the fence of db1, with data of a former primary on timeline 2. A script answers as its peer. */
describe('the fence before a server starts as a primary', () => {
  const paths = pathsFor(15)
  let root: string

  beforeEach(() => {
    root = mkdtempSync(`${tmpdir()}/provision-fence-`)
    mkdirSync(`${root}/data/pg_wal`, { recursive: true })
    writeFileSync(`${root}/data/PG_VERSION`, '15')
  })
  afterEach(() => rmSync(root, { recursive: true }))

  /** @param peer the result of IDENTIFY_SYSTEM and SHOW in_hot_standby; empty for a silent peer */
  const start = (record: PrimaryRecord | undefined, peer = '', bootGrace = 0) => {
    const program = (name: string, text: string) => {
      writeFileSync(`${root}/${name}`, `#!/bin/sh\n${text}\n`)
      chmodSync(`${root}/${name}`, 0o755)
    }
    program('pg_controldata', "echo 'Database system identifier: 77'; echo \"Latest checkpoint's TimeLineID: 2\"")
    program('psql', `echo '${peer}'`)
    program('setpriv', 'while [ "$1" != --init-groups ]; do shift; done; shift; exec "$@"')
    if (record) writeFileSync(`${root}/primary.json`, recordText(record))
    const peers = [{ name: 'db2', address: '198.18.0.42' }]
    const steps = stepsOf(fence({ paths, name: 'db1', peers, bootGrace }))
    const text = textAt(steps, '/usr/local/libexec/provision-postgres-fence')
      .replaceAll(paths.bin, root)
      .replaceAll(paths.data, `${root}/data`)
      .replaceAll(PATH, `${root}/primary.json`)
    const { status, stdout, stderr } = spawnSync('sh', ['-c', text], {
      encoding: 'utf8',
      env: { ...process.env, PATH: `${root}:${process.env['PATH']}` },
    })
    return { status, said: stdout.trim(), stderr }
  }

  it('allows the start if the peer is silent and the host has no record', () => {
    expect(start(undefined)).to.deep.equal({ status: 0, said: '', stderr: '' })
  })

  it('blocks the start if the peer is a primary on the same timeline or a later one', () => {
    expect(start(undefined, '77 3 0/0 off').status).to.equal(1)
    expect(start(undefined, '77 2 0/0 off').said).to.include('db2 is the primary, on timeline 2')
    expect(start(undefined, '77 1 0/0 off').status).to.equal(0)
    expect(start(undefined, '78 3 0/0 off').status, 'another system').to.equal(0)
  })

  it("blocks the start if the host's own record names a later primary, also while that host is off", () => {
    const { status, said } = start(RECORD)
    expect(status).to.equal(1)
    expect(said).to.equal(
      'Not started as a primary: db2 is the primary, on timeline 3, and this host was one on timeline 2.',
    )
  })

  it('allows the start if the record is older, of another system, or names this host', () => {
    expect(start({ ...RECORD, timeline: 1 }).status).to.equal(0)
    expect(start({ ...RECORD, system: '78' }).status).to.equal(0)
    expect(start({ ...RECORD, primary: 'db1' }).status).to.equal(0)
  })

  it('allows the start if the promotion on record did not happen', () => {
    expect(start(RECORD, '77 2 0/0 on').status).to.equal(0)
    expect(start(RECORD, '77 4 0/0 on').status, 'it has followed another one since').to.equal(1)
  })

  it('removes the placeholder of an interrupted promotion', () => {
    const left = `${root}/data/pg_wal/00000003.history`
    const real = `${root}/data/pg_wal/00000002.history`
    writeFileSync(left, `2\t0/1\t${PLACEHOLDER}\n`)
    writeFileSync(real, '1\t0/3034858\tno recovery target specified\n')
    expect(start(undefined).status).to.equal(0)
    expect(existsSync(left)).to.equal(false)
    expect(existsSync(real)).to.equal(true)
    writeFileSync(left, `2\t0/1\t${PLACEHOLDER}\n`)
    writeFileSync(`${root}/data/pg_wal/00000004.history`, '2\t0/303C730\tno recovery target specified\n')
    start(undefined)
    expect(existsSync(left), 'a standby asks for it').to.equal(true)
  })

  it('uses the boot time of the host itself, and the grace period of the params', () => {
    const steps = stepsOf(fence({ paths, name: 'db1', peers: [], bootGrace: 42 }))
    const text = textAt(steps, '/usr/local/libexec/provision-postgres-fence')
    expect(text).to.include('end=$(($(uptime_now) + 42))')
    const booted = /^booted\(\) .*$/m.exec(text)?.[0] ?? ''
    const script = `uptime_now() { echo 1000; }\nsed() { echo "S 0 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 90000 0"; }\n${booted}\nbooted`
    expect(spawnSync('sh', ['-c', script], { encoding: 'utf8' }).stdout.trim()).to.equal('100')
  })
})
