import { resolve } from 'node:path'
import { expect } from 'chai'
import { execa } from 'execa'
import { Project } from '../project.ts'

const ROOT = resolve(import.meta.dirname, '../../..')

describe('provision validate', function () {
  this.slow('5s')
  let project: Project

  beforeEach(() => {
    project = new Project(PROJECT)
  })
  afterEach(() => project.remove())

  const write = (path: string, text: string) => project.write(path, text)
  const change = (path: keyof typeof PROJECT, from: string, to: string) => {
    expect(PROJECT[path]).to.include(from)
    write(path, PROJECT[path].replace(from, to))
  }
  const validate = async (...args: readonly string[]) => {
    const { code, out, err } = await project.provision('validate', ...args)
    return { code, text: out + err }
  }
  const inventory = ['--inventory', 'inventory.ts']

  it('finds no errors in this repository: types, templates, site and roles', async () => {
    const inventory = write('prod.ts', PROD)
    const { exitCode, all } = await execa({ cwd: ROOT, all: true, reject: false, env: { NO_COLOR: '1' } })`${
      process.execPath
    } bin/provision.js validate --inventory ${inventory} playbooks/site.ts`
    expect(exitCode, all).to.equal(0)
    expect(all)
      .to.match(/no errors in the project and in \d\d templates/)
      .and.match(/12 hosts match/)
      .and.match(/Roles: \d{2,} steps/)
      .and.match(/Verification: \d{2,} checks of 12 hosts/)
  })

  it('finds no errors in a valid project, and prompts for no secret', async () => {
    const { code, text } = await validate(...inventory)
    expect(code, text).to.equal(0)
    expect(text).to.include('2 hosts match the schema').and.include('Roles: 4 steps')
  })

  it('validates only types and templates without an inventory', async () => {
    const { code, text } = await validate()
    expect(code, text).to.equal(0)
    expect(text).to.include('Use --inventory FILE')
  })

  it('reports line and column of an unknown property in a template', async () => {
    change('roles/motd/templates/motd.ejs', 'greeting.words', 'greeting.wrods')
    const { code, text } = await validate(...inventory)
    expect(code).to.equal(1)
    expect(text).to.match(/roles\/motd\/templates\/motd\.ejs:3:14: Property 'wrods' does not exist on type/)
  })

  it('rejects templates that print a list or a value that may be undefined', async () => {
    change('roles/motd/index.ts', 'readonly words: string', 'readonly words?: string; readonly all: string[]')
    change('roles/motd/templates/motd.ejs', '<%= name %>', '<%= greeting.all %>')
    const { text } = await validate(...inventory)
    expect(text).to.match(/motd\.ejs:2:\d+: Argument of type 'string\[\]'/)
    expect(text).to.match(/motd\.ejs:3:5: Argument of type 'string \| undefined'/)
  })

  it('rejects a template without a head, and a head that imports a missing file', async () => {
    change('roles/motd/templates/motd.ejs', 'index.ts', 'indxe.ts')
    write('roles/motd/templates/other.ejs', 'no head')
    const { text } = await validate(...inventory)
    expect(text).to.match(/motd\.ejs:1:\d+: Cannot find module '\.\.\/indxe\.ts'/)
    expect(text).to.include('other.ejs:1:1: the first line must declare the data')
  })

  it('reports a call with data that the head of the template does not accept', async () => {
    change('roles/motd/templates/motd.ejs', '.Motd)', '.Motd & { readonly motto: string })')
    const { code, text } = await validate(...inventory)
    expect(code).to.equal(1)
    expect(text).to.match(/roles\/motd\/index\.ts:7:18: the head of motd\.ejs does not accept this type: .*Motd/)
  })

  it('reports a template with an unclosed block', async () => {
    change('roles/motd/templates/motd.ejs', 'Welcome', '<% if (name) { -%>\nWelcome')
    expect((await validate(...inventory)).text).to.match(/motd\.ejs:4:1: '}' expected/)
  })

  it('reports file, line and column of a type error', async () => {
    change('playbooks/site.ts', 'name: host.name', 'name: 42')
    const { code, text } = await validate(...inventory)
    expect(code).to.equal(1)
    expect(text).to.match(/playbooks\/site\.ts:\d+:\d+: Type 'number' is not assignable to type 'string'/)
  })

  it('reports the path of a value that does not match the schema', async () => {
    process.env['CHECK_WORKERS'] = 'four'
    const { code, text } = await validate(...inventory).finally(() => delete process.env['CHECK_WORKERS'])
    expect(code).to.equal(1)
    expect(text).to.match(/web\.hosts\.web1\.workers: should be a whole number ≥ 1, got/)
  })

  it('validates the verification: its types, and its checks for the inventory', async () => {
    write('playbooks/verify.ts', VERIFY)
    const well = await validate(...inventory)
    expect(well.code, well.text).to.equal(0)
    expect(well.text).to.include('Verification: 4 checks of 2 hosts').and.include('Roles: 4 steps')
    write('playbooks/verify.ts', VERIFY.replace('host.name', 'host.nmae'))
    const typed = await validate(...inventory)
    expect(typed.code).to.equal(1)
    expect(typed.text).to.match(/playbooks\/verify\.ts:\d+:\d+: Property 'nmae' does not exist/)
    write(
      'playbooks/verify.ts',
      VERIFY.replace('// body', "if (web.hosts.length < 3) throw new Error('three at least')"),
    )
    for (const name of [[], ['verify']]) {
      const bad = await validate(...inventory, ...name)
      expect(bad.code, bad.text).to.equal(1)
      expect(bad.text).to.include('the verification: three at least')
    }
    write('playbooks/verify.ts', VERIFY)
    const alone = await validate(...inventory, 'verify')
    expect(alone.text).to.include('Verification: 4 checks of 2 hosts').and.not.include('Roles')
  })

  it('expands roles for the systems that they name, and reports roles of a host that have no system in common', async () => {
    const os = (...names: readonly string[]) =>
      write(
        'roles/motd/index.ts',
        `${PROJECT['roles/motd/index.ts'].trimEnd().replace(/\)$/, `, { os: ${JSON.stringify(names)} })`)}\n`,
      )
    os('ubuntu 24.04')
    const well = await validate(...inventory)
    expect(well.code, well.text).to.equal(0)
    expect(well.text).to.include('Roles: 4 steps').and.include('web1 runs Debian 13')
    os('debian 12', 'debian 13')
    const quiet = await validate(...inventory)
    expect(quiet.text).to.include('Roles: 4 steps').and.not.include('runs Debian')
    write(
      'playbooks/site.ts',
      PROJECT['playbooks/site.ts']
        .replace(
          'motd({ name: host.name, password })',
          "[motd({ name: host.name, password }), role('other', () => [], { os: ['ubuntu'] })({})]",
        )
        .replace('play, playbook', 'play, playbook, role'),
    )
    const none = await validate(...inventory)
    expect(none.code, none.text).to.equal(1)
    expect(none.text)
      .to.include('web1 runs Debian 13')
      .and.include('The role was tested on Ubuntu')
      .and.include('web1 runs Ubuntu')
  })

  it('reports a step whose kind has no scripts for the system of a role', async () => {
    write(
      'playbooks/site.ts',
      PROJECT['playbooks/site.ts']
        .replace(
          'motd({ name: host.name, password })',
          "role('other', () => locale('de_DE.UTF-8'), { os: ['rocky 9.4'] })({})",
        )
        .replace('play, playbook', 'locale, play, playbook, role'),
    )
    const { code, text } = await validate(...inventory)
    expect(code, text).to.equal(1)
    expect(text).to.include('locale de_DE.UTF-8: it has scripts only for the platform debian')
  })

  it('reports a role that fails on all releases, and notes one that fails on one', async () => {
    change(
      'roles/motd/index.ts',
      '// body',
      "if (facts.os.version === '13') throw new Error('no such package in trixie')",
    )
    const well = await validate(...inventory)
    expect(well.code, well.text).to.equal(0)
    expect(well.text).to.include('no such package in trixie')
    change('roles/motd/index.ts', '// body', "if (facts.cpus < 9) throw new Error('nine cores at least')")
    const bad = await validate(...inventory)
    expect(bad.code).to.equal(1)
    expect(bad.text).to.match(/web1 with Debian 13: role motd: nine cores at least\n +at .*roles\/motd\/index\.ts:\d+/)
  })
})

const PROJECT = {
  'package.json': '{ "type": "module" }',
  'tsconfig.json': JSON.stringify({
    compilerOptions: {
      module: 'nodenext',
      target: 'es2023',
      strict: true,
      noEmit: true,
      allowImportingTsExtensions: true,
      skipLibCheck: true,
      customConditions: ['source'],
      types: ['node'],
    },
  }),
  'stack.ts': `
import { credential, hosts, integer, inventorySchema } from 'provision-ts'
export const site = inventorySchema({ password: credential, web: hosts({ workers: integer({ min: 1 }) }) })
`,
  'inventory.ts': `
import { inventory, secret } from 'provision-ts'
import { site } from './stack.ts'
const workers: number = Number(process.env['CHECK_WORKERS'] ?? '2')
export default inventory(site, {
  password: secret.prompt('Password'),
  web: { workers, hosts: { web1: { address: '10.0.0.1' }, web2: { address: '10.0.0.2' } } },
})
`,
  'playbooks/site.ts': `
import { play, playbook } from 'provision-ts'
import { motd } from '../roles/motd/index.ts'
import { site } from '../stack.ts'
export default playbook(site, ({ web, password }) => [
  play('web', { hosts: web }, (host) => motd({ name: host.name, password })),
])
`,
  'roles/motd/index.ts': `
import { file, role, type Secret, template } from 'provision-ts'
export interface Motd {
  readonly name: string
  readonly greeting: { readonly words: string }
}
const motdText = template<Motd>(import.meta, 'motd.ejs')
export const motd = role('motd', ({ name, password }: { readonly name: string; readonly password: Secret }, { facts }) => {
  void facts
  // body
  const greeting = { words: 'hello', all: [] }
  return [file('/etc/motd', motdText({ name, greeting })), file('/etc/motd.key', password)]
})
`,
  'roles/motd/templates/motd.ejs': `<%# ({ name, greeting }: import('../index.ts').Motd) -%>
Welcome to <%= name %>.
<%= greeting.words %>
`,
}

const VERIFY = `
import { check, sh, verification } from 'provision-ts'
import { site } from '../stack.ts'
export default verification(site, ({ web }) => {
  // body
  return web.hosts.map((host) => check(host, 'greets', sh\`grep -q \${host.name} /etc/motd\`))
})
`

const PROD = `
import { inventory, secret } from 'provision-ts'
import { authority } from 'provision-ts/pki'
import { notes } from '${ROOT}/inventory/notes.ts'
import { siteSchema as site } from 'provision-ts/stack'
export default async () => {
  const ca = await authority(import.meta.dirname + '/pki', { name: 'Test' })
  const pair = (name: string, address = '10.0.0.1') => ca.keyPair({ names: [name], addresses: [address] })
  return inventory(site, {
    domain: 'notes.example.com',
    application: notes,
    vip: '203.0.113.10/24',
    certificate: await pair('notes.example.com'),
    authority: ca.certificate,
    passwords: { app: secret.of('app'), replication: secret.env('NOT_SET_ANYWHERE') },
    lb: { hosts: { lb1: { address: '203.0.113.11', priority: 250 }, lb2: { address: '203.0.113.12', priority: 240 } } },
    web: { port: 8080, workers: 4, hosts: { web1: { address: '10.0.1.1' }, web2: { address: '10.0.1.2' }, web3: { address: '10.0.1.3' }, web4: { address: '10.0.1.4' } } },
    app: { port: 3000, hosts: { app1: { address: '10.0.2.1' }, app2: { address: '10.0.2.2' }, app3: { address: '10.0.2.3' }, app4: { address: '10.0.2.4' } } },
    db: {
      seed: false,
      hosts: {
        db1: { address: '10.0.3.1', seed: true, certificate: await pair('db1', '10.0.3.1') },
        db2: { address: '10.0.3.2', certificate: await pair('db2', '10.0.3.2') },
      },
    },
  })
}
`
