import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { restartInTurn } from '../../roles/etcd/lib/restart.ts'
import { CONTROL } from '../../roles/etcd/params.ts'

/** The script of the handler, with programs of its own for systemctl and etcdctl. */
describe('the restart of etcd, one member at a time', () => {
  let directory: string
  const program = (name: string, script: string) => {
    writeFileSync(join(directory, name), `#!/bin/sh\n${script}\n`)
    chmodSync(join(directory, name), 0o755)
  }
  const restart = () => {
    const member = { name: 'etcd1', address: '10.0.0.1', group: 'etcd' }
    const script = restartInTurn(member)
      .commands.map((command) => command.script.text)
      .join('\n')
    return spawnSync('/bin/sh', ['-c', script.replaceAll(CONTROL, join(directory, 'control'))], {
      encoding: 'utf8',
      env: { PATH: `${directory}:${process.env['PATH']}` },
    })
  }
  const restarts = () => readFileSync(join(directory, 'log'), 'utf8').match(/^restart/gm)?.length ?? 0
  /** Fails this often before it runs the command. It fails after it as well, as after the loss of the session. */
  const failLocks = (failures: number) =>
    program(
      'control',
      `[ "$1" = lock ] || exit 0
echo >>${directory}/attempts
[ $(wc -l <${directory}/attempts) -gt ${failures} ] || { echo 'server closed the stream' >&2; exit 1; }
shift 4
"$@"
exit 1`,
    )

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'provision-etcd-'))
    program('systemctl', `echo "$@" >>${directory}/log`)
    program('journalctl', 'echo the log of etcd')
    program('sleep', '')
  })

  afterEach(() => rmSync(directory, { recursive: true }))

  it('waits for the lock again if the wait ended with an error', () => {
    failLocks(2)
    expect(restart().status).to.equal(0)
    expect(restarts()).to.equal(1)
  })

  it('happens once, even if the lock cannot be released', () => {
    failLocks(0)
    expect(restart().status).to.equal(0)
    expect(restarts()).to.equal(1)
  })

  it('does not happen, and fails with the reason, without the lock', () => {
    failLocks(1_000)
    const { status, stderr } = restart()
    expect(status).to.equal(1)
    expect(stderr).to.include('server closed the stream').and.include('the log of etcd')
    expect(restarts()).to.equal(0)
  })
})
