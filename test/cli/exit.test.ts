import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { noSshd, Sshd, Workshop } from '../transport/sshd.ts'
import { Project } from './project.ts'

const PLAYBOOK = `import { command, file, hosts, play, playbook, sh, inventorySchema } from 'provision-ts'
export const site = inventorySchema({ web: hosts() })
export default playbook(site, ({ web }) => [
  play('web', { hosts: web }, () => [
    file('DIR/a', 'text\\n'),
    command('look', sh\`false\`, { unless: sh\`! test -e DIR/break\`, tags: ['looks'] }),
  ]),
])
`
const inventory = (hosts: string) => `import { inventory } from 'provision-ts'
import { site } from './playbook.ts'
export default inventory(site, { web: { hosts: { ${hosts} } } })
`

describe('exit status', () => {
  let project: Project

  before(() => {
    project = new Project({
      'dead.ts': inventory(`web1: { address: '127.0.0.1', ssh: { port: 1, hostKey: 'SHA256:${'a'.repeat(43)}' } }`),
      'faulty.ts': inventory(`web1: { address: 'here' }`),
    })
    project.write('playbook.ts', PLAYBOOK.replaceAll('DIR', project.directory))
  })
  after(() => project.remove())

  const run = (name: string, ...words: readonly string[]) =>
    project.provision('playbook.ts', '--no-type-check', '-i', name, ...words)

  it('is 64 without an inventory and with an invalid one', async () => {
    const [none, faulty] = await Promise.all([project.provision('--check'), run('faulty.ts')])
    expect([none.code, none.err]).to.deep.equal([64, 'error: No inventory specified\n   Use --inventory FILE.\n'])
    expect(faulty.code).to.equal(64)
    expect(faulty.err).to.match(/^error: The inventory does not fit its stack\.\n {3}web\.hosts\.web1\.address: /)
  })

  it('is 64 if --limit or --tags is empty', async () => {
    const [limit, tags] = await Promise.all([run('dead.ts', '--limit', ''), run('dead.ts', '--tags', ' ,')])
    expect([limit.code, tags.code]).to.deep.equal([64, 64])
    expect(limit.err).to.include('selects no host')
    expect(tags.err).to.include('Must name a tag')
  })

  it('is 3 if a host is unreachable', async () => {
    const { code, out } = await run('dead.ts')
    expect(out).to.match(/1 host unreachable; 0 of 0 steps changed on 1 host\./)
    expect(code).to.equal(3)
  })

  describe('with a real host', () => {
    let workshop: Workshop
    let sshd: Sshd

    before(async function () {
      if (noSshd()) return this.skip()
      workshop = new Workshop()
      workshop.key('host')
      const ssh = { identityFile: workshop.key('user'), hostKey: workshop.fingerprint('host'), user: 'root' }
      sshd = await Sshd.start({ workshop, hostKeys: ['host'], users: ['user'] })
      const settings = JSON.stringify({ ...ssh, port: sshd.port })
      project.write('here.ts', inventory(`web1: { address: '127.0.0.1', ssh: ${settings} }`))
    })
    after(async () => {
      await sshd?.stop()
      workshop?.dispose()
    })

    it('is 2 if a dry run finds changes, 1 if a step fails, otherwise 0', async () => {
      project.write('break', '')
      const check = await run('here.ts', '--check', '--output', 'json')
      expect(check.code, check.out + check.err).to.equal(2)
      const events = check.out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line))
      expect(events.map(({ kind }) => kind)).to.include.members(['begin', 'connected', 'refreshed', 'step', 'end'])
      expect(events.find(({ kind }) => kind === 'step').step.source).to.match(/\/playbook\.ts:5:\d+$/)

      const failed = await run('here.ts')
      expect(failed.code).to.equal(1)
      expect(failed.out).to.match(/error: web1: command look failed: exit status 1\n {3}at \/\S+\/playbook\.ts:6:\d+\n/)
      expect(readFileSync(join(project.directory, 'a'), 'utf8')).to.equal('text\n')

      rmSync(join(project.directory, 'break'))
      const good = await run('here.ts')
      expect([good.code, good.out.split(' (')[0]]).to.deep.equal([0, 'No changes: 2 steps ok on 1 host.'])
    })

    it('of plan and apply, for a playbook or a part of it', async () => {
      const words = ['--no-type-check', '-i', 'here.ts']
      const plan = (...more: readonly string[]) =>
        project.provision('plan', 'playbook.ts', '--out', 'plan.json', ...words, ...more)
      const apply = (...more: readonly string[]) => project.provision('apply', 'plan.json', '--no-type-check', ...more)
      project.write('a', 'other')
      project.write('break', '')

      const part = await plan('--start-at', 'command look')
      expect(part.out).to.include('1 of 1 step would change on 1 host.')
      expect((await apply('--limit', 'web1', '--start-at', 'look')).err).to.include('The plan was made with --start-at')
      expect((await apply()).code).to.equal(1)
      expect(readFileSync(join(project.directory, 'a'), 'utf8')).to.equal('other')

      await plan()
      rmSync(join(project.directory, 'break'))
      const moved = await apply()
      expect(moved.code).to.equal(64)
      expect(moved.err).to.include('command look has changed since')
      // Without the step that has changed.
      const tagged = await apply('--skip-tags', 'looks')
      expect(tagged.code, tagged.out + tagged.err).to.equal(0)
      expect(readFileSync(join(project.directory, 'a'), 'utf8')).to.equal('text\n')
    })
  })
})
