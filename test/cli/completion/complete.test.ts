import { spawnSync } from 'node:child_process'
import { chmodSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect } from 'chai'
import { noTerminal, PseudoTerminal } from '../../support/terminal.ts'
import { Project } from '../project.ts'

const ROOT = resolve(import.meta.dirname, '../../..')

const SITE = `import { file, hosts, play, playbook, inventorySchema } from 'provision-ts'
export const site = inventorySchema({ web: hosts(), db: hosts() })
export default playbook(site, ({ web, db }) => [
  play('web', { hosts: web, tags: ['front'] }, () => [file('/etc/a', 'a', { tags: ['motd'] })]),
  play('db', { hosts: db, tags: ['data'] }, () => []),
])
`
const AWAY = `import { choice, flag, integer, optional, playbook, text, withDescription } from 'provision-ts'
import { site } from './site.ts'
console.info('a playbook that speaks')
export default playbook(site, () => [], {
  flags: {
    host: text,
    release: withDescription('the release', optional(choice(15, 17))),
    maxHosts: optional(integer({ min: 1 })),
    reason: optional({ ...text, expects: 'a text\\nfor people' }),
    dryRun: flag,
    check: flag,
  },
})
`
const INVENTORY = `import { inventory } from 'provision-ts'
import { site } from '../playbooks/site.ts'
console.log('an inventory that speaks')
const at = (n: number) => ({ address: '10.0.0.' + n })
export default inventory(site, { web: { hosts: { web1: at(1), web2: at(2) } }, db: { hosts: { db1: at(3) } } })
`

describe('completion', function () {
  this.slow('5s')
  let project: Project

  before(() => {
    project = new Project({
      'playbooks/site.ts': SITE,
      'playbooks/deploy.ts': SITE,
      'playbooks/away.ts': AWAY,
      'playbooks/broken.ts': 'throw new Error("a playbook that throws")\nexport default 1\n',
      'playbooks/torn.ts': 'export default playbook(\n',
      'playbooks/part.ts': 'export const part = 1\n',
      'inventory/prod.ts': INVENTORY,
    })
    project.write('bin/provision', `#!/bin/sh\nexec ${process.execPath} ${ROOT}/bin/provision.js "$@"\n`)
    chmodSync(join(project.directory, 'bin/provision'), 0o755)
  })
  after(() => project.remove())

  const loadHosts = () => project.provision('hosts', '-i', 'inventory/prod.ts', '--no-type-check')
  const complete = async (...words: readonly string[]) => {
    const { out } = await project.provision('__complete', '--', ...words)
    return out.split('\n').flatMap((line) => (line === '' ? [] : [line.split('\t')[0]]))
  }

  it('completes commands, playbooks and options', async () => {
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

  it('completes the hosts and groups of inventories that were loaded before, without running them', async () => {
    expect(await complete('--limit', 'w')).to.deep.equal([])
    await loadHosts()
    project.write('inventory/prod.ts', 'throw new Error("must not run")\nexport default 1\n')
    const [limit, list, glued, argument, thing, name] = await Promise.all([
      complete('--limit', ''),
      complete('deploy', '-l', 'web1,!w'),
      complete('--limit=d'),
      complete('logs', '-i', 'inventory/prod.ts', 'web'),
      complete('why', '-i', 'inventory/prod.ts', '/etc/motd@web'),
      complete('why', '-i', 'inventory/prod.ts', '/etc'),
    ])
    expect(limit).to.deep.equal(['web', 'db', 'web1', 'web2', 'db1'])
    expect(list).to.deep.equal(['web1,!web', 'web1,!web1', 'web1,!web2'])
    expect(glued).to.deep.equal(['--limit=db', '--limit=db1'])
    expect(argument).to.deep.equal(['web', 'web1', 'web2'])
    expect(thing).to.deep.equal(['/etc/motd@web1', '/etc/motd@web2'])
    expect(name).to.deep.equal([])
    project.write('inventory/prod.ts', INVENTORY.replace('web2', 'web3'))
    await loadHosts()
    expect(await complete('--limit', 'web')).to.deep.equal(['web', 'web1', 'web3'])
    project.write('inventory/prod.ts', INVENTORY)
    await loadHosts()
  })

  it('completes the options of a playbook with those of a run', async () => {
    const [all, some, check, other, command] = await Promise.all([
      complete('away', '--'),
      project.provision('__complete', '--', 'away', '--host', 'web1', '--r'),
      project.provision('__complete', '--', 'away', '--ch'),
      complete('deploy', '--'),
      complete('logs', '--'),
    ])
    expect(all).to.include.members(['--host', '--release', '--max-hosts', '--dry-run', '--limit', '--diff'])
    expect(some.out.split('\n')).to.deep.equal([
      '--release\tthe release (one of 15, 17)',
      '--reason\ta text for people',
      '',
    ])
    expect(check.out).to.equal('--check\tdry run: show what would change\n')
    expect([...other, ...command])
      .to.include('--limit')
      .and.not.to.include.members(['--host'])
  })

  it('completes nothing after an option of a playbook that has a value', async () => {
    const found = await Promise.all([
      complete('away', '--max-hosts', ''),
      complete('away', '--reason', ''),
      complete('away', '--reason=', ''),
    ])
    expect(found.slice(0, 2)).to.deep.equal([[], []])
  })

  it('loads a playbook again only after it has changed', async () => {
    const counted = (flags: string) => `import { appendFileSync } from 'node:fs'
import { flag, playbook, text } from 'provision-ts'
import { site } from './site.ts'
appendFileSync('loaded', '.')
export default playbook(site, () => [], { flags: { ${flags} } })
`
    project.write('playbooks/counted.ts', counted('color: text'))
    const read = (name: string) => readFileSync(join(project.directory, name), 'utf8')
    expect(await complete('counted', '--co')).to.deep.equal(['--color'])
    expect(await complete('counted', '--co')).to.deep.equal(['--color'])
    expect(read('loaded')).to.equal('.')
    project.write('playbooks/counted.ts', counted('colorless: flag'))
    expect(await complete('counted', '--co')).to.deep.equal(['--colorless'])
    expect(read('loaded')).to.equal('..')
  })

  it('completes the options of a run for a playbook that cannot be loaded', async () => {
    for (const name of ['broken', 'torn', 'gone', 'part']) {
      const { out, err } = await project.provision('__complete', '--', name, '--lim')
      expect(out.split('\t')[0], name).to.equal('--limit')
      expect(err, name).to.equal('')
    }
  })

  it('leaves paths to the shell', async () => {
    const [inventory, plan, none] = await Promise.all([
      complete('--inventory', ''),
      complete('apply', ''),
      complete('--nonsense', '--limit=x'),
    ])
    expect([inventory, plan]).to.deep.equal([[':files'], [':files']])
    expect(none).to.deep.equal([])
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
    it(`works in ${shell}`, async function () {
      if (noTerminal() ?? spawnSync(shell, ['--version']).error) return this.skip()
      await loadHosts()
      const terminal = new PseudoTerminal(start, {
        ...{ cwd: project.directory, cols: 120, rows: 40 },
        env: {
          PATH: `${project.directory}/bin:${process.env['PATH']}`,
          ...{ PS1: '$ ', HOME: project.directory },
        },
      })
      try {
        terminal.type(`${load} && echo load''ed\n`)
        await terminal.until(/^loaded/m)
        terminal.type('provision dep\t')
        await terminal.until(/provision deploy$/m)
        terminal.type('--lim\t')
        await terminal.until(/provision deploy --limit$/m)
        terminal.type('db1,web\t\t')
        expect(await terminal.until(/db1,web2/)).to.include('db1,web1')
        terminal.type('\x15provision aw\t')
        await terminal.until(/provision away$/m)
        terminal.type('--re\t\t')
        // Bash shows no descriptions.
        await terminal.until(shell === 'bash' ? /--reason +--release/ : /--release.+the release \(one of 15, 17\)/)
        // Its last completion may still be running.
        terminal.type('\x15exit\n')
        await terminal.code
      } finally {
        terminal.close()
        await terminal.code
      }
    })
})
