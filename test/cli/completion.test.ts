import { spawnSync } from 'node:child_process'
import { chmodSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect } from 'chai'
import { noTerminal, PseudoTerminal } from '../support/terminal.ts'
import { Project } from './project.ts'

const ROOT = resolve(import.meta.dirname, '../..')

const SITE = `import { file, hosts, play, playbook, inventorySchema } from 'provision-ts'
export const site = inventorySchema({ web: hosts(), db: hosts() })
export default playbook(site, ({ web, db }) => [
  play('web', { hosts: web, tags: ['front'] }, () => [file('/etc/a', 'a', { tags: ['motd'] })]),
  play('db', { hosts: db, tags: ['data'] }, () => []),
])
`
const AWAY = `import { choice, flag, integer, optional, playbook, text } from 'provision-ts'
import { site } from './site.ts'
console.info('a playbook that speaks')
export default playbook(site, () => [], {
  flags: {
    host: text,
    intoGroup: optional(text),
    to: optional({ ...text, expects: 'the name of a host' }),
    tier: choice('web', 'db'),
    release: optional(choice(15, 17)),
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

  it('knows the flags that a playbook declares, beside those of a run', async () => {
    const [all, some, check, other, command] = await Promise.all([
      complete('away', '--'),
      project.provision('__complete', '--', 'away', '--host', 'web1', '--r'),
      project.provision('__complete', '--', 'away', '--ch'),
      complete('deploy', '--'),
      complete('logs', '--'),
    ])
    const own = [
      '--host',
      '--into-group',
      '--to',
      '--tier',
      '--release',
      '--max-hosts',
      '--reason',
      '--dry-run',
    ]
    expect(all).to.include.members([...own, '--limit', '--diff'])
    expect(some.out.split('\n')).to.deep.equal([
      '--release\tone of 15, 17, or nothing',
      '--reason\ta text for people, or nothing',
      '',
    ])
    expect(check.out).to.match(/^--check\tonly say what would change.*\n$/)
    expect([...other, ...command])
      .to.include('--limit')
      .and.not.to.include.members(['--host'])
  })

  it('knows the values that a flag of a playbook chooses from, and whose name it is', async () => {
    const found = await Promise.all([
      complete('away', '--tier', ''),
      complete('away', '--dry-run', '--tier=d'),
      complete('plan', 'away', '--release', ''),
      complete('away', '--host', 'w'),
      complete('away', '--into-group', ''),
      complete('-i', 'inventory/prod.ts', 'away', '--to=d'),
    ])
    expect(found).to.deep.equal([
      ['web', 'db'],
      ['--tier=db'],
      ['15', '17'],
      ['web1', 'web2'],
      ['web', 'db'],
      ['--to=db1'],
    ])
    const none = await Promise.all([
      complete('away', '--max-hosts', ''),
      complete('away', '--reason', ''),
      complete('away', '--dry-run', ''),
      complete('logs', '--tier', ''),
    ])
    expect(none).to.deep.equal([[], [], [], ['web', 'db', 'web1', 'web2', 'db1']])
  })

  it('knows hosts also for a playbook that must be told something', async () => {
    expect(await complete('away', '--limit', 'd')).to.deep.equal(['db', 'db1'])
  })

  it('sees that a playbook has changed, and runs it only then', async () => {
    const counted = (flags: string) => `import { appendFileSync } from 'node:fs'
import { choice, flag, playbook } from 'provision-ts'
import { site } from './site.ts'
appendFileSync('loaded', '.')
export default playbook(site, () => [], { flags: { ${flags} } })
`
    project.write('playbooks/counted.ts', counted(`color: choice('red')`))
    const read = (name: string) => readFileSync(join(project.directory, name), 'utf8')
    expect(await complete('counted', '--co')).to.deep.equal(['--color'])
    expect(await complete('counted', '--color', '')).to.deep.equal(['red'])
    expect(read('loaded')).to.equal('.')
    project.write('playbooks/counted.ts', counted(`colorless: flag`))
    expect(await complete('counted', '--co')).to.deep.equal(['--colorless'])
    expect(read('loaded')).to.equal('..')
  })

  it('is silent about a playbook that cannot be read, and goes on to know what a run takes', async () => {
    for (const name of ['broken', 'torn', 'gone', 'part']) {
      const { out, err } = await project.provision('__complete', '--', name, '--lim')
      expect(out.split('\t')[0], name).to.equal('--limit')
      expect(err, name).to.equal('')
      expect(await complete(name, '--host', ''), name).to.deep.equal([])
    }
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
        env: {
          PATH: `${project.directory}/bin:${process.env['PATH']}`,
          ...{ PS1: '$ ', HOME: project.directory, PROVISION_COMPLETION_TIMEOUT: '600' },
        },
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
        terminal.type('\x15provision aw\t')
        await terminal.until(/provision away$/m)
        terminal.type('--tie\t')
        await terminal.until(/provision away --tier$/m)
        terminal.type('d\t')
        await terminal.until(/provision away --tier db$/m)
        terminal.type('--into-group=w\t')
        await terminal.until(/--into-group=web$/m)
        terminal.type(' --re\t\t')
        // Bash has no place for what a word is.
        await terminal.until(
          shell === 'bash' ? /--reason +--release/ : /--release.+one of 15, 17, or nothing/,
        )
      } finally {
        terminal.close()
        await terminal.code
      }
    })
})
