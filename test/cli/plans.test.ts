import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { Project } from './project.ts'

const SITE = `import { file, hosts, inventorySchema, play, playbook, template, text } from 'provision-ts'
const motd = template<{ words: string }>(import.meta, 'motd.ejs')
export const site = inventorySchema({ web: hosts({ words: text }) })
export default playbook(site, ({ web }) => [
  play('web', { hosts: web }, ({ words }) => file(\`/\${process.cwd().slice(1)}/motd\`, motd({ words }), { owner: process.env.USER_NAME })),
])
`
const MOTD = '<%# ({ words }: { words: string }) -%>\n<%= words %>\n'
const inventory = (options = '{}', words = "'hello'") => `import { inventory } from 'provision-ts'
import { site } from './site.ts'
export default inventory(site, {
  become: { method: 'none' },
  web: { words: ${words}, hosts: { web1: { address: '127.0.0.1', ssh: { transport: 'local' } } } },
}, ${options})
`

describe('a saved plan', function () {
  this.slow('10s')
  let project: Project
  before(() => {
    process.env['USER_NAME'] = process.getuid?.() === 0 ? 'root' : process.env['USER']
  })
  after(() => {
    delete process.env['USER_NAME']
    delete process.env['WORDS']
  })
  beforeEach(() => {
    project = new Project({ 'site.ts': SITE, 'templates/motd.ejs': MOTD, 'inventory.ts': inventory() })
  })
  afterEach(() => project.remove())

  const at = (name: string) => join(project.directory, name)
  const run = (program: string, ...args: readonly string[]) =>
    execFileSync(program, args, { cwd: project.directory, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim()
  const commitAll = (message: string) => {
    run('git', 'add', '-A')
    run('git', '-c', 'user.name=ana', '-c', 'user.email=ana@example.com', 'commit', '-q', '-m', message)
    return run('git', 'rev-parse', 'HEAD')
  }
  const repository = () => {
    run('git', 'init', '-q', '.')
    project.write('.gitignore', 'node_modules\n.provision\nkey*\nplan.json*\nallowed*\nmotd\n')
    return commitAll('first')
  }
  const key = (name: string) => {
    run('ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', name)
    return readFileSync(at(`${name}.pub`), 'utf8').trim()
  }
  const plan = async (...more: readonly string[]) => {
    const words = ['./site.ts', '-i', 'inventory.ts', '--no-type-check', '--out', 'plan.json']
    return project.provision('plan', ...words, ...more)
  }
  const planned = async (...more: readonly string[]) => {
    const { code, out, err } = await plan(...more)
    expect(code, out + err).to.equal(2)
    return out
  }
  // Other tests run on this machine, too, and hold its lock meanwhile.
  const apply = (...more: readonly string[]) =>
    project.provision('apply', 'plan.json', '--no-type-check', '--wait', ...more)
  const refused = async (...more: readonly string[]) => {
    const { code, out, err } = await apply(...more)
    expect(code, out + err).to.equal(64)
    expect(existsSync(at('motd'))).to.equal(false)
    return err
  }
  const applied = async (...more: readonly string[]) => {
    const { code, out, err } = await apply(...more)
    expect(code, out + err).to.equal(0)
    expect(existsSync(at('motd'))).to.equal(true)
    return err
  }

  it('is bound to the commit of the project', async () => {
    const first = repository()
    await planned()
    expect(JSON.parse(readFileSync(at('plan.json'), 'utf8')).commit).to.deep.equal({ id: first, changed: [] })
    project.write('README.md', 'about')
    const second = commitAll('second')
    expect(await refused()).to.equal(
      `error: The plan was made at commit ${first.slice(0, 12)}, and the current commit of the project is ${second.slice(0, 12)}
   Check out that commit, or make the plan again, read it, and apply that one. Nothing was changed.
`,
    )
    rmSync(at('.git/HEAD'))
    expect(await refused()).to.include('and the current commit of the project is unknown')
    rmSync(at('.git'), { recursive: true })
    repository()
    await planned()
    await applied()
  })

  it('is bound to the files of the project, also without git', async () => {
    await planned()
    project.write('templates/motd.ejs', `${MOTD}\n`)
    project.write('site.ts', `// A comment.\n${SITE}`)
    expect(await refused()).to.equal(`error: Files of the project have changed since the plan was made
   site.ts
   templates/motd.ejs
   Make the plan again, read it, and apply that one. Nothing was changed.
`)
    await planned()
    await applied()
  })

  it('is bound to the values of its inventory, which may depend on the environment', async () => {
    project.write('inventory.ts', inventory('{}', 'process.env.WORDS'))
    process.env['WORDS'] = 'one'
    await planned()
    process.env['WORDS'] = 'two'
    expect(await refused()).to.equal(`error: The plan was made for another inventory: its hosts or values differ
   Make the plan again, read it, and apply that one. Nothing was changed.
`)
    process.env['WORDS'] = 'one'
    project.write('other.ts', inventory())
    expect(await refused('--inventory', 'other.ts')).to.match(
      /^error: plan\.json is a plan for the inventory \S+\/inventory\.ts\n/,
    )
    await applied('--inventory', 'inventory.ts')
  })

  it('is signed with an SSH key, and applied if an allowed signer has signed it', async () => {
    repository()
    writeFileSync(at('allowed'), `ana@example.com namespaces="provision-plan" ${key('key')}\n`)
    expect(await planned('--sign', 'key')).to.include('Signed and saved to plan.json.')
    expect(statSync(at('plan.json.sig')).mode & 0o777).to.equal(0o600)
    const verify = [
      '-Y',
      'verify',
      '-f',
      'allowed',
      '-I',
      'ana@example.com',
      '-n',
      'provision-plan',
      '-s',
      'plan.json.sig',
    ]
    const by = execFileSync('ssh-keygen', verify, { cwd: project.directory, input: readFileSync(at('plan.json')) })
    expect(String(by)).to.match(/^Good "provision-plan" signature for ana@example\.com/)
    expect(await applied('--signers', 'allowed')).to.equal('plan.json is signed by ana@example.com.\n')
  })

  it('is refused if it was altered, if its signer is not allowed, and without a signature', async () => {
    repository()
    const [own, other] = [key('key'), key('key2')]
    writeFileSync(at('allowed'), `ana@example.com ${own}\n`)
    await planned('--sign', 'key')
    const text = readFileSync(at('plan.json'), 'utf8')
    writeFileSync(at('plan.json'), text.replace('"made": "2', '"made": "3'))
    for (const signers of [[], ['--signers', 'allowed']])
      expect(await refused(...signers)).to.include(
        'error: plan.json.sig is not a signature of plan.json: the plan or its signature was changed',
      )
    await planned('--sign', 'key2')
    const [, fingerprint = ''] = run('ssh-keygen', '-l', '-f', 'key2.pub').split(' ')
    expect(await refused('--signers', 'allowed'))
      .to.match(/^error: plan\.json is signed with a key that allowed does not allow\n/)
      .and.include(`signed with ED25519 key ${fingerprint}`)
    writeFileSync(
      at('allowed'),
      `ana@example.com valid-before="20200101" ${own}\nben@example.com namespaces="git" ${other}\n`,
    )
    expect(await refused('--signers', 'allowed')).to.include(
      'plan.json is signed with a key that allowed does not allow',
    )
    await planned('--sign', 'key')
    expect(await refused('--signers', 'allowed')).to.include('key has expired')
    // A plan that replaces a signed one has no signature.
    await planned()
    expect(existsSync(at('plan.json.sig'))).to.equal(false)
    expect(await refused('--signers', 'allowed')).to.equal(
      `error: plan.json is not signed, and allowed has the signers that are allowed
   To sign it: provision plan --out plan.json --sign KEY
`,
    )
    expect(await refused('--signers', 'nowhere')).to.include('The file of allowed signers nowhere does not exist')
    await applied()
  })

  it('must be signed if the inventory demands it', async () => {
    repository()
    writeFileSync(at('allowed'), `ana@example.com ${key('key')}\n`)
    project.write('inventory.ts', inventory(`{ allowedSigners: 'allowed' }`))
    commitAll('signers')
    await planned()
    expect(await refused()).to.include('plan.json is not signed, and allowed has the signers that are allowed')
    await planned('--sign', 'key')
    await applied()
  })

  it('is not signed with files that are not committed, without --out, or with a key that does not exist', async () => {
    repository()
    key('key')
    project.write('site.ts', `// A comment.\n${SITE}`)
    expect((await plan('--sign', 'key')).err).to.equal(
      `error: The plan cannot be signed: files have changes that are not committed
   site.ts
   Commit them first: a signed plan is bound to a commit.
`,
    )
    await planned()
    expect(JSON.parse(readFileSync(at('plan.json'), 'utf8')).commit.changed).to.deep.equal(['site.ts'])
    run('git', 'checkout', '-q', 'site.ts')
    expect((await plan('--sign', 'no-key')).err).to.include('The key no-key does not exist')
    const bad = await plan('--sign', 'inventory.ts')
    expect(bad.code).to.equal(64)
    expect(bad.err).to.include('ssh-keygen cannot sign the plan with inventory.ts')
    const words = ['./site.ts', '-i', 'inventory.ts', '--no-type-check']
    expect((await project.provision('plan', ...words, '--sign', 'key')).err).to.include('--sign needs a saved plan')
  })

  it('is not made if git fails, and needs ssh-keygen for a signature', async () => {
    repository()
    const { PATH = '' } = process.env
    key('key')
    await planned('--sign', 'key')
    process.env['PATH'] = at('bin')
    try {
      expect(await refused()).to.include('ssh-keygen is not installed, which signs plans and checks signatures')
      project.write('bin/git', '#!/bin/sh\necho "fatal: detected dubious ownership" >&2; exit 128\n')
      execFileSync('/bin/chmod', ['+x', at('bin/git')])
      process.env['PATH'] = `${at('bin')}:${PATH}`
      expect((await plan()).err).to.equal(
        `error: The commit of the project cannot be read, so the plan cannot be bound to it
   fatal: detected dubious ownership
   Run the command where git works.
`,
      )
    } finally {
      process.env['PATH'] = PATH
    }
  })
})
