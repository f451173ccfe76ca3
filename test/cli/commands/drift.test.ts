import { chmodSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { Server } from '../../hooks/report.ts'
import { Project } from '../project.ts'

const PLAYBOOK = `import { file, hosts, inventorySchema, play, playbook, role } from 'provision-ts'
export const site = inventorySchema({ web: hosts() })
const base = role('base', (_params: object) => [
  file('DIRECTORY/motd', 'Welcome\\n', { mode: '0644', owner: 'OWNER', group: 'GROUP' }),
  file('DIRECTORY/other', 'Other\\n', { mode: '0644', owner: 'OWNER', group: 'GROUP' }),
])
export default playbook(site, ({ web }) => [play('web', { hosts: web }, () => base({}))])
`
const INVENTORY = `import { inventory, webhook } from 'provision-ts'
import { site } from './playbooks/site.ts'
const here = { address: '127.0.0.1', ssh: { transport: 'local' as const }, become: { method: 'none' as const } }
const dead = { address: '127.0.0.2', ssh: { port: 1, user: 'deploy', hostKey: 'SHA256:${'a'.repeat(43)}' } }
export default inventory(site, { web: { hosts: { web1: here, web2: dead } } }, { hooks: { onDrift: webhook('URL') } })
`

describe('provision drift', function () {
  this.slow('10s')
  let project: Project
  const server = new Server()
  before(async () => {
    project = new Project()
    const { username } = userInfo()
    const values: Readonly<Record<string, string>> = {
      DIRECTORY: project.directory,
      OWNER: username,
      GROUP: String(process.getgid?.()),
      URL: await server.start(),
    }
    const filled = (text: string) => text.replace(/\b(?:DIRECTORY|OWNER|GROUP|URL)\b/g, (name) => values[name] ?? '')
    project.write('playbooks/site.ts', filled(PLAYBOOK))
    project.write('inventory.ts', filled(INVENTORY))
  })
  after(() => {
    server.stop()
    project.remove()
  })

  const options = ['-i', 'inventory.ts', '--no-type-check']
  const drift = (...words: readonly string[]) => project.provision('drift', ...options, ...words)
  /** Other tests of this machine may have its lock. */
  const apply = async () => {
    const { out, err, code } = await project.provision(...options, '--limit', 'web1', '--wait', '10m')
    expect(code, out + err).to.equal(0)
  }
  const motd = () => join(project.directory, 'motd')

  it('finds differences before the first recorded run, whose cause is unknown', async () => {
    const { out, code } = await drift('--limit', 'web1')
    expect(code, out).to.equal(2)
    expect(out).to.include('web1: 2 steps differ\n').and.to.include('the records do not show')
    expect(out).to.include('  Logins: unknown: no run of this host is recorded\n')
  })

  it('finds nothing after a run', async () => {
    await apply()
    const { out, code } = await drift('--limit', 'web1')
    expect([out, code]).to.deep.equal(['No drift: web1\n', 0])
  })

  it('names the step, the values and the run that left them, and calls the hook', async () => {
    server.requests.length = 0
    chmodSync(motd(), 0o600)
    const { out, err, code } = await drift('--limit', 'web1')
    expect(code, out + err).to.equal(2)
    expect(out).to.include(`web1: 1 step differs\n  ~ file ${motd()} [base], `)
    expect(out).to.match(/playbooks\/site\.ts:4:3\n {6}changed on the host since the last run\n/)
    expect(out).to.include('      mode: now 0600, the last run left 0644, declared 0644\n')
    expect(out).to.match(/ {6}last run: \d{4}-\d\d-\d\d \d\d:\d\d UTC, run \S+ \(provision -i inventory\.ts /)
    expect(out).to.match(/^ {2}Logins(?: since|: unknown)/m)
    const [request] = server.requests
    expect(JSON.parse(request?.text ?? '')).to.deep.include({ event: 'onDrift', mode: 'drift', status: 'changes' })
    expect(JSON.parse(request?.text ?? '').changes[0]).to.deep.include({ host: 'web1', cause: 'host' })
  })

  it('ends with the same status if a hook fails, which is a warning', async () => {
    const path = join(project.directory, 'inventory.ts')
    const before = readFileSync(path, 'utf8')
    writeFileSync(path, before.replace(/webhook\('.*?'\)/, "webhook('http://127.0.0.1:9/hook')"))
    const { err, code } = await drift('--limit', 'web1')
    expect(code).to.equal(2)
    expect(err).to.match(
      /^warning: onDrift: webhook http:\/\/127\.0\.0\.1:9 failed: .*\. The result of the run is not affected\.\n$/,
    )
    writeFileSync(path, before)
  })

  it('separates changes of the playbook from changes of the host', async () => {
    const path = join(project.directory, 'playbooks/site.ts')
    const before = readFileSync(path, 'utf8')
    writeFileSync(path, before.replace("'Other\\n'", "'Changed\\n'"))
    const { out } = await drift('--limit', 'web1')
    expect(out).to.include('declared differently since the last run, and not applied')
    writeFileSync(path, before)
  })

  it('says that an unreachable host is unknown, with status 3', async () => {
    const { out, code } = await drift('--limit', 'web2')
    expect(code).to.equal(3)
    expect(out).to.match(/^web2: unknown: web2 /)
    expect(out).not.to.include('No drift')
  })

  it('prints an object for each host with --output json', async () => {
    const { out } = await drift('--output', 'json')
    const [web1, web2] = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(web1).to.deep.include({ kind: 'drift', host: 'web1' })
    expect(web1.drifts[0]).to.deep.include({ cause: 'host', action: 'change' })
    expect(web1.drifts[0].fields).to.deep.equal([{ name: 'mode', now: '0600', left: '0644', declared: '0644' }])
    expect(web2.drifts).to.deep.equal([])
    expect(web2.unknown).to.be.a('string')
  })

  it('does not displace the records of runs, and lists the history', async () => {
    const runs = (await project.provision('report', '--list')).out.trim().split('\n')
    expect(runs).to.have.length(1)
    await apply()
    const { out, code } = await project.provision('drift', '--history')
    expect(code).to.equal(0)
    expect(out).to.match(/^web1 file \S+\/motd: changed on the host since the last run$/m)
    expect(out).to.match(/^ {4}found \d{4}.*run \S+ \(provision drift /m)
    expect(out).to.match(/^ {4}corrected \d{4}.*run \S+ \(provision -i inventory\.ts /m)
    const objects = (await project.provision('drift', '--history', '--output', 'json')).out.trim().split('\n')
    expect(objects.map((line) => JSON.parse(line).kind)).to.deep.equal(objects.map(() => 'drift history'))
  })

  it('has no history without records, and keeps none with --no-journal', async () => {
    const record = join(project.directory, '.provision')
    renameSync(record, `${record}.away`)
    expect((await project.provision('drift', '--history')).out).to.equal('No drift is recorded.\n')
    await drift('--limit', 'web1', '--no-journal')
    expect(existsSync(record)).to.equal(false)
    rmSync(`${record}.away`, { recursive: true })
  })
})
