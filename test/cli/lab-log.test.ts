import { execFile, spawnSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { expect } from 'chai'
import { hostPaths, labPaths, STATE } from '../../src/lab/base/paths.ts'
import { processId } from '../../src/lab/base/state.ts'
import { temporary } from '../support/rig.ts'
import { canBePrivate } from '../transport/private-machine.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const DAEMON = ['setpriv', '--reuid', 'daemon', '--regid', 'daemon', '--clear-groups']

/** The state of a lab and the console of a host, on a temporary disk. */
describe('provision lab log', function () {
  this.slow('5s')
  const disk = temporary()
  const place = (path: string, text: string, mode: number) => {
    const on = join(disk, path.slice(STATE.length))
    mkdirSync(dirname(on), { recursive: true })
    writeFileSync(on, text, { mode })
  }

  before(function () {
    const [program = '', ...words] = [...DAEMON, 'test', '-r', join(ROOT, 'src/cli/main.ts')]
    if (!canBePrivate() || spawnSync(program, words).status !== 0) return this.skip()
    const ports = { https: 1, http: 2 }
    const hosts = [{ name: 'web1', address: '10.0.0.1', port: 3, hostKey: 'SHA256:a' }]
    const state = { name: 'mine', debian: 13, base: '/', supervisor: processId(process.pid), hosts, ports }
    place(labPaths('mine').state, JSON.stringify(state), 0o644)
    place(hostPaths('mine', 'web1').console, 'Welcome to Debian\n', 0o600)
  })
  after(() => rmSync(disk, { recursive: true }))

  const log = (...who: readonly string[]) => {
    const main = `import { main } from '${ROOT}/src/cli/main.ts'; await main(['lab', 'log', 'web1', '--name', 'mine'], { root: '${ROOT}/', compiled: '' })`
    const node = [process.execPath, '--import', 'tsx', '-C', 'source', '--input-type=module', '-e', main]
    // In a mount namespace of its own.
    const mount = `mount -t tmpfs tmpfs /var/lib && mkdir -p ${STATE} && mount --bind "$1" ${STATE} && chmod 755 ${STATE} && shift && exec "$@"`
    return new Promise((done) => {
      const words = ['-m', 'sh', '-c', mount, 'sh', disk, ...who, ...node]
      // Another user cannot write coverage.
      const env = { ...process.env, NO_COLOR: '1', NODE_V8_COVERAGE: '' }
      execFile('unshare', words, { cwd: ROOT, env }, (_error, out, err) => done([out, err]))
    })
  }

  it('prints the console of a host', async () => {
    expect(await log()).to.deep.equal(['Welcome to Debian\n', ''])
  })

  it('explains how to read it without permission', async () => {
    const text = `error: Only root can read the console output of a host.
   the same with sudo
`
    expect(await log(...DAEMON)).to.deep.equal(['', text])
  })
})
