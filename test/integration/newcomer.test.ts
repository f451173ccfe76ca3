import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { $ } from 'zx'
import { downLab, openLab } from '../../src/lab/index.ts'
import { noHosts, ROOT } from './support.ts'

const LAB = 'test-newcomer'

/** All paths that the published package may contain. */
const ALLOWED = [
  /^(package\.json|README\.md|LICENSE|bin\/(provision|start)\.js)$/,
  /^dist\/src\/[\w-]+\.js(\.map)?$/,
  /^dist\/src\/.+\.d\.ts$/,
  /^dist\/src\/report\.html$/,
  /^dist\/(roles|stack)\/[^.]+(\.js|\.js\.map|\.d\.ts)$/,
  /^dist\/roles\/.+\/templates\/[^/]+\.ejs$/,
  /^templates\/(project|role|web-stack)\//,
  /^(man|schema)\//,
]

const SHOW = `.catch((error) => console.log(error.message + '\\n' + error.next))`

/** Features that need a package of their own: the subject of the message, the package, and code that needs it. */
const OPTIONAL = [
  [
    'A certificate authority',
    '@peculiar/x509',
    `import { authority } from 'provision-ts/pki'; await authority('pki')${SHOW}`,
  ],
  [
    'A certificate of an ACME server',
    'acme-client',
    `import { acme, renewCertificates } from 'provision-ts/pki'
renewCertificates()
await acme('acme', { names: ['a.example.com'], contact: 'a@example.com', termsAgreed: true })${SHOW}`,
  ],
  [
    'A secret file encrypted with age',
    'age-encryption',
    `import { secret } from 'provision-ts'
import { writeFileSync } from 'node:fs'
writeFileSync('identity', 'AGE-SECRET-KEY-1QQ')
await (async () => secret.age('secret.age').reveal())()${SHOW}`,
  ],
] as const

/** The steps of one user journey: each depends on those before it. */
describe('a new user', function () {
  this.slow('30s').bail(true)
  const directory = mkdtempSync(join(tmpdir(), 'provision-newcomer-'))
  const project = join(directory, 'hosts')
  let tarball: string

  before(function () {
    if (noHosts()) this.skip()
  })
  after(async () => {
    if (!noHosts()) await downLab(LAB)
    rmSync(directory, { recursive: true })
  })

  /** Runs a command line in the directory of the project. */
  const typed = async (line: string, cwd = project) => {
    const shell = $({ cwd, nothrow: true, quiet: true, env: { ...process.env, LAB, NO_COLOR: '1' } })
    const { exitCode, stdout, stderr } = await shell`sh -c ${line}`
    return { code: exitCode, out: stdout, text: stdout + stderr }
  }
  const well = async (line: string, cwd = project) => {
    const ended = await typed(line, cwd)
    expect(ended.code, `${line}\n${ended.text}`).to.equal(0)
    return ended.out
  }

  it('gets a package with only the compiled code, its types, its source maps and the roles', async () => {
    await well(`npm pack --pack-destination ${directory}`, ROOT)
    rmSync(join(ROOT, 'dist'), { recursive: true })
    tarball = join(directory, readdirSync(directory).find((name) => name.endsWith('.tgz')) ?? '')
    const files = (await well(`tar -tzf ${tarball}`, directory))
      .trim()
      .split('\n')
      .map((path) => path.replace(/^package\//, ''))
    expect(files.filter((path) => !ALLOWED.some((one) => one.test(path)))).to.deep.equal([])
    expect(files).to.include.members([
      ...['cli', 'index', 'lab', 'testing'].flatMap((name) => [`dist/src/${name}.js`, `dist/src/${name}.js.map`]),
      ...['dist/src/index.d.ts', 'dist/src/lab/index.d.ts', 'dist/src/testing/index.d.ts'],
      ...[
        'templates/project/_gitignore',
        'templates/project/_package.json',
        'bin/provision.js',
        'bin/start.js',
        'dist/src/report.html',
      ],
      ...['roles', 'stack'].flatMap(filesOf).map((path) => `dist/${path.replace(/\.ts$/, '.js')}`),
      ...filesOf('roles').flatMap((path) => (path.endsWith('.ts') ? [`dist/${path.replace(/\.ts$/, '.d.ts')}`] : [])),
    ])
  })

  it('installs it in an empty directory elsewhere, without any path of the sources', async () => {
    await well(`mkdir ${project}`, directory)
    await well('npm init --yes')
    await well(`npm install ${tarball}`)
    const found = await typed(`grep -rlF -e ${ROOT}/ node_modules/provision-ts`)
    expect(found.out).to.equal('')
    expect(await well('npx provision --version')).to.match(/^\d+\.\d+\.\d+\n$/)
  })

  it('installs at most 60 packages and 25 MiB', async () => {
    const packages = (await well('npm ls --all --parseable')).trim().split('\n')
    expect(packages.length, packages.join('\n')).to.be.within(20, 60)
    const [bytes = ''] = (await well('du -sb node_modules')).split('\t')
    expect(Number(bytes), await well('du -sb node_modules/* | sort -rn | head')).to.be.within(5e6, 25 * 1024 ** 2)
  })

  for (const [feature, name, code] of OPTIONAL)
    it(`names the optional package ${name} where it is not installed`, async () => {
      writeFileSync(join(project, 'optional.mjs'), code)
      writeFileSync(join(project, 'secret.age'), 'age-encryption.org/v1\n')
      const { text } = await typed('PROVISION_AGE_IDENTITY=identity node optional.mjs')
      expect(text).to.equal(
        `${feature} needs the package ${name}, which is not installed\nInstall it in the project: npm install ${name}\n`,
      )
    })

  it('names the optional package of the server for AI agents', async () => {
    writeFileSync(join(project, 'inventory.mjs'), '')
    const { code, text } = await typed('npx provision mcp --inventory inventory.mjs')
    rmSync(join(project, 'inventory.mjs'))
    expect(code).to.equal(64)
    expect(text).to.equal(
      `error: The server for AI agents needs the package @modelcontextprotocol/sdk, which is not installed
   Install it in the project: npm install @modelcontextprotocol/sdk
`,
    )
  })

  it('creates a project with one command, which shows the next commands', async () => {
    const said = await well('npx provision init')
    expect(said).to.include('Exists, not changed:\n  package.json\nNext:\n')
    const [install = '', test = '', check = ''] =
      said
        .split('Next:\n')[1]
        ?.split('\n')
        .map((line) => line.trim()) ?? []
    await well(install)
    expect(test).to.equal('npm test')
    expect(await well(test)).to.include('1 passing')
    expect(await well('npx provision validate --inventory inventory/local.ts')).to.include('No errors found.')
    const { code, text } = await typed(check)
    expect(code, text).to.equal(2)
    expect(text).to.include('here ~ file /etc/welcome [welcome]: create')
  })

  it('converges a first host; a second run changes nothing, and the doctor finds no problem', async () => {
    await well(`npx provision lab up --name ${LAB} --hosts web1`)
    expect(await well('npx provision --inventory inventory/lab.ts')).to.include('2 changed')
    expect(await well(`npx provision lab ssh --name ${LAB} web1 cat /etc/welcome`)).to.match(
      /^web1: A host of the lab\.\nIt belongs to the web team/,
    )
    expect(await well('npx provision --inventory inventory/lab.ts')).to.match(/^No changes: 2 steps ok on 1 host\./m)
    expect(await well('npx provision doctor --inventory inventory/lab.ts')).to.match(
      /checks? on \d+ hosts?: \d+ passed\./m,
    )
    await well('npx provision report --out report.html')
    expect(readFileSync(join(project, 'report.html'), 'utf8'))
      .to.match(/^<!doctype html>/i)
      .and.include('web1')
  })

  it('creates a role, and uses one of the package', async () => {
    await well('npx provision new role web-cache')
    expect(await well('npm test')).to.include('2 passing')
    writeFileSync(join(project, 'playbooks/base.ts'), BASE)
    const { code, text } = await typed('npx provision base --inventory inventory/lab.ts --check')
    expect(code, text).to.equal(2)
    expect(text).to.include('web1 ~ file /etc/systemd/journald.conf.d/provision.conf [base]')
  })

  it('deploys an application of its own with the web stack, by the package alone', async () => {
    const site = join(directory, 'site')
    await well(`mkdir ${site}`, directory)
    await well(`cp -r ${project}/node_modules .`, site)
    await well('npx provision init --template web-stack', site)
    await well('npm install --no-save @peculiar/x509', site)
    await well(`npx provision lab down --name ${LAB}`, site)
    await well(`npx provision lab up --name ${LAB} --hosts lb1,lb2,web1,app1,db1`, site)
    await well('npx provision --inventory inventory/lab.ts', site)
    expect(await well('npx provision --inventory inventory/lab.ts', site)).to.match(
      /^No changes: \d+ steps ok on 5 hosts/m,
    )
    expect(await well('npx provision verify --inventory inventory/lab.ts', site)).to.match(
      /^(\d+) checks on 5 hosts: \1 passed/m,
    )
    writeFileSync(
      join(site, 'app/server.mjs'),
      readFileSync(join(site, 'app/server.mjs'), 'utf8').replace('Hello from', 'Good morning from'),
    )
    await well('npx provision deploy --outage --inventory inventory/lab.ts', site)
    const answer = async () =>
      (await $`curl -sk https://127.0.0.1:${openLab(LAB).ports.https}/ -H ${'host: site.test'}`).stdout
    expect(await answer()).to.match(/^Good morning from app1/)
    await well('npx provision rollback --outage --inventory inventory/lab.ts', site)
    expect(await answer()).to.match(/^Hello from app1/)
  })

  it('gets a compiler error for a mistake, before any host is queried', async () => {
    const inventory = join(project, 'inventory/lab.ts')
    writeFileSync(inventory, readFileSync(inventory, 'utf8').replace("team: 'the web team'", 'team: 7'))
    const { code, text } = await typed('npx provision --inventory inventory/lab.ts')
    expect(code, text).to.equal(64)
    expect(text).to.match(/The TypeScript compiler found errors\n\s+inventory\/lab\.ts:9:\d+: .*number/)
  })
})

const BASE = `import { play, playbook } from 'provision-ts'
import { base } from 'provision-ts/roles/base'
import { webCache } from '../roles/web-cache/index.ts'
import { site } from './schema.ts'

export default playbook(site, ({ servers }) => [
  play('base', { hosts: servers }, () => [base({ updates: false }), webCache({ port: 8080 })]),
])
`

function filesOf(folder: string): readonly string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(ts|ejs)$/.test(name))
    .map((name) => `${folder}/${name}`)
}
