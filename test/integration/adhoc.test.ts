import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { expect } from 'chai'
import { noTerminal, PseudoTerminal } from '../support/terminal.ts'
import { CODENAME, DEBIAN, ownLab, provision, ROOT } from './support.ts'

const INVENTORY = `import { hosts, inventory, inventorySchema } from 'provision-ts'
import { openLab } from 'provision-ts/lab'
const lab = openLab('test-adhoc')
const at = (name: string) => {
  const { address, ssh } = lab.host(name)
  return { address, ssh }
}
const [one, two] = [at('web1'), at('web2')]
// The second host, by its own address and through the first.
const far = { address: two.address, ssh: { ...two.ssh, host: two.address, port: 22, proxyJump: one.ssh } }
export const site = inventorySchema({ web: hosts(), far: hosts() })
// A short limit for a host that is known to be off.
const limits = process.env['OFF'] === 'web1' ? { timeouts: { login: '2s' as const } } : {}
export default inventory(site, { web: { hosts: { web1: { ...one, ...limits }, web2: two } }, far: { hosts: { far: { ...far, address: '198.18.0.99' } } } })
`

/** Typical ad-hoc commands on real hosts. */
describe('ad-hoc commands on real hosts', function () {
  this.slow('10s')
  const own = ownLab('test-adhoc', ['web1', 'web2'], () => ({ 'inventory.ts': INVENTORY }))
  const words = (...more: readonly string[]) => {
    const [command = '', ...rest] = more
    return [command, '--inventory', join(own.desk.directory, 'inventory.ts'), '--no-type-check', ...rest]
  }
  const look = (...more: readonly string[]) => provision(words(...more))
  const lookWithout = (off: string, ...more: readonly string[]) => provision(words(...more), { OFF: off })

  it('exec: runs as root or as the login user, over ssh2 and openssh, also through a jump host', async () => {
    for (const transport of ['ssh2', 'openssh']) {
      const root = await look('exec', '--grouped', 'id -un', '--transport', transport)
      expect([root.code, root.text.split(' (')[0]], root.text).to.deep.equal([
        0,
        'web1, web2, far: ok\n    root\n3 hosts: 3 ok.',
      ])
      const user = await look('exec', '--grouped', 'id -un', '--transport', transport, '--no-become', '--limit', 'web1')
      expect(user.text).to.match(/^web1: ok\n {4}deploy\n/)
    }
  })

  it('exec: Ctrl-C stops the command on the host with all its child processes', async () => {
    const child = spawned(words('exec', 'echo begun; sleep 4321 & sleep 4322', '--limit', 'web1', '--output', 'plain'))
    await child.until(/web1 \| begun/)
    child.process.kill('SIGINT')
    expect(await child.code).to.equal(130)
    const { stdout } = await own.lab.exec('web1', 'pgrep -a sleep')
    expect(stdout).to.equal('')
  })

  it('facts: shows the facts of each host', async () => {
    const { code, text } = await look('facts', '--limit', 'web')
    expect([code, text.split('\n').map((line) => line.split(/ {2,}/).slice(0, 3))]).to.deep.equal([
      0,
      [
        ['host', 'hostname', 'release'],
        ['web1', 'web1', `debian ${DEBIAN} ${CODENAME}`],
        ['web2', 'web2', `debian ${DEBIAN} ${CODENAME}`],
        [''],
      ],
    ])
  })

  it('logs: merges the logs of several hosts by time, limits them and reports problems', async () => {
    for (const [host, n] of [
      ['web1', 1],
      ['web2', 2],
      ['web1', 3],
      ['web2', 4],
    ] as const)
      await own.lab.exec(host, `logger -t tested 'line ${n}'; journalctl --sync`)
    const { code, text } = await look('logs', 'web', '--since', '5m')
    const lines = text.split('\n').filter((line) => line.includes(' tested['))
    expect(code).to.equal(0)
    expect(lines.map((line) => line.replace(/^\d\d-\d\d [\d:.]{12} (\w+) tested\[\d+\]: /, '$1 '))).to.deep.equal([
      'web1 line 1',
      'web2 line 2',
      'web1 line 3',
      'web2 line 4',
    ])
    await own.lab.exec('web1', 'systemd-run --quiet --wait --unit noted.service sh -c "echo one; echo two; echo three"')
    const unit = await look('logs', 'web1', '--unit', 'noted', '--lines', '2', '--output', 'json')
    const messages = unit.text
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line): { host: string; message: string } => JSON.parse(line))
    // The last messages, oldest first.
    expect(messages.map(({ message }) => message)).to.have.length(2)
    expect(messages.at(-1)?.message).to.match(/^(three|noted\.service: .*)$/)
    const wrong = await look('logs', 'web1', '--since', 'whenever')
    expect([wrong.code, wrong.text]).to.deep.equal([
      1,
      'error: web1: journalctl exited with status 1\n   Failed to parse timestamp: whenever\n',
    ])
  })

  it('logs -f: follows the logs, and leaves nothing on the hosts', async () => {
    const child = spawned(words('logs', 'web', '--follow', '--lines', '1'))
    await child.until(/web1 .*\n[\s\S]*web2 |web2 .*\n[\s\S]*web1 /)
    await own.lab.exec('web1', 'logger -t tested followed one')
    await own.lab.exec('web2', 'logger -t tested followed two')
    await child.until(/web1 tested\[\d+\]: followed one\n/)
    await child.until(/web2 tested\[\d+\]: followed two\n/)
    child.process.kill('SIGINT')
    expect(await child.code).to.equal(0)
    const { stdout } = await own.lab.exec('web1', 'pgrep -a journalctl')
    expect(stdout).to.equal('')
  })

  it('ssh: opens a shell of a host in a terminal, through a jump host, and only with the known host key', async () => {
    const { code, text } = await look('ssh', 'far', '--', 'hostname; exit 7')
    expect([code, text]).to.deep.equal([7, 'web2\n'])
    own.desk.write(
      'other.ts',
      INVENTORY.replace('...two.ssh, host: two.address', '...two.ssh, hostKey: one.ssh.hostKey, host: two.address'),
    )
    const other = await provision([
      'ssh',
      '--inventory',
      join(own.desk.directory, 'other.ts'),
      '--no-type-check',
      'far',
      '--',
      'hostname',
    ])
    expect([other.code, other.text.includes('Host key verification failed')], other.text).to.deep.equal([255, true])
    if (noTerminal()) return
    const command = [process.execPath, join(ROOT, 'bin/provision.js'), ...words('ssh', 'web1')].join(' ')
    const terminal = new PseudoTerminal(command)
    await terminal.until(/deploy@web1/)
    terminal.type('tty; exit 5\r')
    expect(await terminal.code).to.equal(5)
    expect(await terminal.screen()).to.match(/\/dev\/pts\/\d/)
  })

  it('continues on the other hosts if a host is off, and exits with 3', async () => {
    await own.lab.kill('web1')
    const all = await Promise.all([
      lookWithout('web1', 'exec', 'hostname', '--limit', 'web'),
      lookWithout('web1', 'facts', '--limit', 'web'),
      lookWithout('web1', 'logs', 'web', '--since', '1h', '--lines', '1'),
    ])
    expect(all.map(({ code }) => code)).to.deep.equal([3, 3, 3])
    for (const { text } of all)
      expect(text)
        .to.match(/^error: web1/m)
        .and.to.match(/\bweb2\b/)
  })
})

/** The running command. */
function spawned(args: readonly string[]): {
  readonly process: ChildProcess
  readonly code: Promise<number>
  readonly until: (wanted: RegExp) => Promise<void>
} {
  const child = spawn(process.execPath, [join(ROOT, 'bin/provision.js'), ...args], {
    env: { ...process.env, NO_COLOR: '1' },
  })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (piece: Buffer) => (text += piece))
  return {
    process: child,
    code: new Promise((done) => child.once('close', (code) => done(code ?? -1))),
    until: async (wanted) => {
      while (!wanted.test(text)) {
        if (child.exitCode !== null) throw new Error(`it ended without ${wanted}:\n${text}`)
        await new Promise((done) => setTimeout(done, 100))
      }
    },
  }
}
