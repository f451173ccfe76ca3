import { execFile } from 'node:child_process'
import { readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect } from 'chai'
import { Project } from '../project.ts'

const ROOT = resolve(import.meta.dirname, '../../..')
const PACKAGES = ['mocha', 'tsx', 'typescript']

describe('a new project', function () {
  this.slow(10_000)
  let project: Project
  beforeEach(() => {
    project = new Project()
    for (const name of PACKAGES)
      symlinkSync(join(ROOT, 'node_modules', name), join(project.directory, 'node_modules', name))
  })
  afterEach(() => project.remove())

  const text = (path: string) => readFileSync(join(project.directory, path), 'utf8')
  /** Runs with the sources of the package instead of its build. */
  const node = (...words: readonly string[]) =>
    new Promise<{ readonly code: number; readonly text: string }>((done) => {
      const child = execFile(
        process.execPath,
        words,
        // Its coverage would overwrite that of this process.
        {
          cwd: project.directory,
          env: { ...process.env, NODE_OPTIONS: '--conditions=source', NODE_V8_COVERAGE: '' },
        },
        (_error, out, err) => done({ code: child.exitCode ?? -1, text: out + err }),
      )
    })
  const well = async (...words: readonly string[]) => {
    const ended = await node(...words)
    expect(ended.code, ended.text).to.equal(0)
    return ended.text
  }
  const mocha = (...words: readonly string[]) => well('node_modules/mocha/bin/mocha.js', ...words)
  const tsc = () => well('node_modules/typescript/bin/tsc', '-p', '.', '--customConditions', 'source')

  it('passes its type check and its tests, and a dry run finds its change', async () => {
    const { code, out, err } = await project.provision('init', 'hosts')
    expect(code, err).to.equal(0)
    expect(out).to.match(/Next:\n {2}cd hosts\n {2}npm install\n {2}npm test\n {2}npx provision --inventory /)
    expect(readdirSync(join(project.directory, 'hosts'))).to.include.members(['.gitignore', 'package.json'])

    const here = await project.provision('init')
    expect(here.out).to.match(/^Created:\n {2}README\.md\n {2}\.gitignore\n/)
    await tsc()
    expect(await mocha()).to.include('1 passing')
    const words = ['--inventory', 'inventory/local.ts', '--check', '--no-type-check']
    const check = await project.provision(...words)
    expect(check.out, check.err).to.include('here ~ file /etc/welcome [welcome]: create')
    expect(check.code).to.equal(2)
  })

  it('has the web stack on request: an inventory, an application and all operations', async () => {
    const { code, out, err } = await project.provision('init', '--template', 'web-stack')
    expect(code, err).to.equal(0)
    expect(out).to.include('  sudo npx provision lab up\n  npx provision --inventory inventory/lab.ts\n')
    await tsc()
    expect(await mocha()).to.include('1 passing')
    const operations = readdirSync(join(ROOT, 'playbooks'))
    expect(readdirSync(join(project.directory, 'playbooks'))).to.deep.equal(operations)
    for (const name of operations)
      expect(text(`playbooks/${name}`), name).to.equal(readFileSync(join(ROOT, 'playbooks', name), 'utf8'))
    expect((await project.provision('--help')).out).to.match(
      /^ {2}deploy +Deploys the local build, one host at a time/m,
    )
    expect((await project.provision('deploy', '--help')).out).to.include('--outage')
  })

  it('is of a template that there is', async () => {
    const { code, err } = await project.provision('init', '--template', 'nosuch')
    expect(code).to.equal(64)
    expect(err).to.include('project, web-stack')
  })

  it('does not change existing files, and lists them', async () => {
    project.write('playbooks/site.ts', 'mine')
    const first = await project.provision('init')
    expect(first.out).to.include('Exists, not changed:\n  package.json\n  playbooks/site.ts\n')
    expect([text('playbooks/site.ts'), text('package.json')]).to.deep.equal(['mine', '{ "type": "module" }'])
    const again = await project.provision('init')
    expect(again.out).not.to.include('Created:')
    expect(text('playbooks/site.ts')).to.equal('mine')
  })

  it('prints the commands that complete an existing package.json', async () => {
    const next = async (given: object) => {
      project.write('package.json', JSON.stringify(given))
      const { out } = await project.provision('init')
      return out.split('Next:\n')[1]?.split('\n')[0]?.trim()
    }
    const tools = '@types/mocha @types/node mocha tsx typescript'
    expect(await next({ scripts: { test: 'echo "Error: no test specified" && exit 1' } })).to.equal(
      `npm pkg set type=module scripts.test=mocha && npm install provision-ts && npm install --save-dev ${tools}`,
    )
    const own = { type: 'module', scripts: { test: 'jest' }, dependencies: { 'provision-ts': '*' } }
    expect(await next(own)).to.equal(`npm install --save-dev ${tools}`)
    const all = Object.fromEntries(tools.split(' ').map((name) => [name, '*']))
    expect(await next({ ...own, devDependencies: all })).to.equal('npm install')
    project.write('package.json', '{')
    const { code, err } = await project.provision('init')
    expect([code, err]).to.deep.equal([
      64,
      'error: package.json is not valid JSON\n   Nothing was created. Fix it first.\n',
    ])
  })

  it('requires the versions of packages that this package is tested with', () => {
    const ours = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
    const theirs = JSON.parse(readFileSync(join(ROOT, 'templates/project/_package.json'), 'utf8'))
    expect(theirs.dependencies).to.deep.equal({ 'provision-ts': `^${ours.version}` })
    for (const [name, version] of Object.entries(theirs.devDependencies))
      expect(version, name).to.equal(ours.devDependencies[name] ?? ours.dependencies[name])
  })

  it('gets roles with a template and a test that passes', async () => {
    await project.provision('init')
    const { out } = await project.provision('new', 'role', 'web-cache')
    expect(out).to.equal(`Created:
  roles/web-cache/index.ts
  roles/web-cache/templates/web-cache.conf.ejs
  test/web-cache.test.ts
Next:
  in a playbook: import { webCache } from '../roles/web-cache/index.ts'
  npm test
`)
    // A reserved word, and a name that contains the placeholder.
    for (const name of ['import', 'my-sample']) await project.provision('new', 'role', name)
    expect(text('roles/my-sample/index.ts'))
      .to.include("export const mySample = role('my-sample', (")
      .and.include("template<MySampleConf>(import.meta, 'my-sample.conf.ejs')")
    await tsc()
    expect(await mocha()).to.include('4 passing')
  })

  it('rejects the name of an existing role and invalid names', async () => {
    await project.provision('new', 'role', 'cache')
    const words = async (name: string) => (await project.provision('new', 'role', name)).err
    expect(await words('cache')).to.equal('error: The role cache exists\n   at roles/cache\n   Use another name.\n')
    for (const name of ['Cache', '../cache', '9cache', 'a--b'])
      expect(await words(name)).to.match(/^error: ".*" is not a valid name for a role\n {3}Use lower-case letters, /)
  })
})
