import { spawnSync } from 'node:child_process'
import { chmodSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect } from 'chai'
import { noTerminal, PseudoTerminal } from '../support/terminal.ts'
import { Project } from './project.ts'

const ROOT = resolve(import.meta.dirname, '../..')

const SITE = `import { file, hosts, play, playbook, stack } from 'provision-ts'
export const site = stack({ web: hosts(), db: hosts() })
export default playbook(site, ({ web, db }) => [
  play('web', { hosts: web, tags: ['front'] }, () => [file('/etc/a', 'a', { tags: ['motd'] })]),
  play('db', { hosts: db, tags: ['data'] }, () => []),
])
`
const INVENTORY = `import { inventory } from 'provision-ts'
import { site } from '../playbooks/site.ts'
console.log('an inventory that speaks')
const at = (n: number) => ({ address: '10.0.0.' + n })
export default inventory(site, { web: { hosts: { web1: at(1), web2: at(2) } }, db: { hosts: { db1: at(3) } } })
`

describe('completion', function () {
  this.timeout('60s').slow('5s')
  let project: Project

  before(() => {
    project = new Project({
      'playbooks/site.ts': SITE,
      'playbooks/deploy.ts': SITE,
      'playbooks/part.ts': 'export const part = 1\n',
      'inventory/prod.ts': INVENTORY,
    })
    project.write('bin/provision', `#!/bin/sh\nexec ${process.execPath} ${ROOT}/bin/provision.js "$@"\n`)
    chmodSync(join(project.directory, 'bin/provision'), 0o755)
  })
  after(() => project.remove())

  const complete = async (...words: readonly string[]) => {
    const { out } = await project.provision('__complete', '--', ...words)
    return out.split('\n').flatMap((line) => (line === '' ? [] : [line.split('\t')[0]]))
  }

  it('knows commands and playbooks, and what each command takes', async () => {
    const [first, plan, short, lab] = await Promise.all([
      complete(''),
      complete('plan', '--st'),
      complete('--o'),
      complete('lab', 'sta'),
    ])
    expect(first).to.include.members(['run', 'plan', 'verify', 'completion', 'site', 'deploy'])
    expect(first).not.to.include.members(['part']).and.not.to.include.members(['__complete'])
    expect(plan).to.deep.equal(['--start-at'])
    expect(short).to.deep.equal(['--output'])
    expect(lab).to.deep.equal(['status', 'start'])
  })

  it('knows hosts, groups and tags, also in lists and behind an equals sign', async () => {
    const [limit, list, glued, tags, of] = await Promise.all([
      complete('--limit', ''),
      complete('deploy', '-l', 'web1,!w'),
      complete('--limit=d'),
      complete('plan', '--tags', ''),
      complete('logs', '-i', 'inventory/prod.ts', 'web'),
    ])
    expect(limit).to.deep.equal(['web', 'db', 'web1', 'web2', 'db1'])
    expect(list).to.deep.equal(['web1,!web', 'web1,!web1', 'web1,!web2'])
    expect(glued).to.deep.equal(['--limit=db', '--limit=db1'])
    expect(tags).to.deep.equal(['data', 'front', 'motd'])
    expect(of).to.deep.equal(['web', 'web1', 'web2'])
  })

  it('leaves paths to the shell, and says nothing where it knows nothing', async () => {
    const [inventory, plan, gone, none] = await Promise.all([
      complete('--inventory', ''),
      complete('apply', ''),
      complete('-i', 'inventory/gone.ts', '--limit', ''),
      complete('--nonsense', '--limit=x'),
    ])
    expect([inventory, plan]).to.deep.equal([[':files'], [':files']])
    expect([gone, none]).to.deep.equal([[], []])
  })

  it('sees that an inventory has changed', async () => {
    expect(await complete('--limit', 'web')).to.deep.equal(['web', 'web1', 'web2'])
    project.write('inventory/prod.ts', INVENTORY.replace('web2', 'web3'))
    expect(await complete('--limit', 'web')).to.deep.equal(['web', 'web1', 'web3'])
    project.write('inventory/prod.ts', INVENTORY)
  })

  const SHELLS = {
    bash: { start: 'bash --norc --noprofile -i', load: 'source <(provision completion bash)' },
    zsh: {
      start: 'zsh -f -i',
      load: 'autoload -U compinit; compinit -D; source <(provision completion zsh)',
    },
    fish: { start: 'fish --no-config -i', load: 'provision completion fish | source' },
  } as const
  for (const [shell, { start, load }] of Object.entries(SHELLS))
    it(`works in ${shell}, as it is typed`, async function () {
      if (noTerminal() ?? spawnSync(shell, ['--version']).error) return this.skip()
      const terminal = new PseudoTerminal(start, {
        ...{ cwd: project.directory, cols: 120, rows: 40 },
        env: { PATH: `${project.directory}/bin:${process.env['PATH']}`, PS1: '$ ', HOME: project.directory },
      })
      try {
        terminal.type(`${load} && echo load''ed\n`)
        await terminal.until(/^loaded/m)
        terminal.type('provision dep\t')
        await terminal.until(/provision deploy$/m)
        terminal.type('--tags mo\t')
        await terminal.until(/provision deploy --tags motd$/m)
        terminal.type('--lim\t')
        await terminal.until(/--tags motd --limit$/m)
        terminal.type('db1,web\t\t')
        expect(await terminal.until(/db1,web2/)).to.include('db1,web1')
      } finally {
        terminal.close()
        await terminal.code
      }
    })
})
