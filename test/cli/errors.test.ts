import { symlinkSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect } from 'chai'
import { Project } from './project.ts'

const ROOT = resolve(import.meta.dirname, '../..')

const SITE = `import { file, hosts, integer, play, playbook, inventorySchema } from 'provision-ts'
export const site = inventorySchema({ web: hosts({ workers: integer({ min: 1 }) }) })
export default playbook(site, ({ web }) => [
  play('web', { hosts: web, tags: ['front'] }, ({ workers }) => {
    if (workers === 13) throw new Error('so many workers bring bad luck')
    return [file('/etc/a', 'a')]
  }),
])
`
const inventory = (workers: string, more = '') => `import { inventory } from 'provision-ts'
import { site } from '../playbooks/site.ts'
${more}
export default inventory(site, {
  web: { hosts: { web1: { address: '127.0.0.1', workers: ${workers}, ssh: { port: 1, hostKey: 'SHA256:${'a'.repeat(43)}' } } } },
})
`

/** Complete messages. Places are in user files, with the line; the next step comes last. */
const CASES: Readonly<Record<string, readonly [words: string, text: string]>> = {
  'no inventory is specified': [
    'site',
    `error: No inventory specified
   Use --inventory inventory/bad.ts. The inventories are inventory/bad.ts, inventory/good.ts, inventory/unlucky.ts, inventory/wrong.ts.`,
  ],
  'a command is mistyped': [
    'verfiy',
    `error: Unknown command or playbook "verfiy"
   Did you mean "verify"?`,
  ],
  'a word resembles no command and no playbook': [
    'xyzzyx',
    `error: Unknown command or playbook "xyzzyx"
   For the commands and playbooks: provision --help`,
  ],
  'an inventory is one of Ansible': [
    '-i hosts.yml',
    `error: hosts.yml is not a TypeScript file
   const ansible = await fromAnsible('hosts.yml', schema)
   An inventory of Ansible is read with this line in inventory/NAME.ts; see docs/from-ansible.md.`,
  ],
  'an inventory is a folder': [
    '-i inventory',
    `error: inventory is not a TypeScript file
   const ansible = await fromAnsible('inventory', schema)
   An inventory of Ansible is read with this line in inventory/NAME.ts; see docs/from-ansible.md.`,
  ],
  'a value is a promise, without type check': [
    '-i sites/promised.ts --no-type-check',
    `error: The inventory does not fit its stack.
   web.hosts.web1.workers: is a promise; write await before it, in an async function
   Nothing was done yet. Fix the inventory, then run the same command again.`,
  ],
  'a playbook is mistyped': [
    'validate stie',
    `error: playbooks/stie.ts does not exist
   Did you mean "site"?`,
  ],
  'a playbook was renamed': [
    'retire',
    `error: Unknown command or playbook "retire"
   "retire" was renamed to "decommission".`,
  ],
  'an inventory is mistyped': [
    '-i inventory/godo.ts',
    `error: inventory/godo.ts does not exist
   Did you mean "inventory/good.ts"?`,
  ],
  'an option is mistyped': [
    '-i inventory/good.ts --no-type-check --limt web1',
    `error: Unknown option --limt
   Did you mean "--limit"?`,
  ],
  'an option of a command without a playbook is mistyped': [
    'hosts --limt web1',
    `error: Unknown option --limt
   Did you mean "--limit"?`,
  ],
  'a subcommand is mistyped': [
    'lab upp',
    `error: Unknown command "lab upp"
   Did you mean "up"?`,
  ],
  'a host is mistyped': [
    '-i inventory/good.ts --no-type-check --limit wbe1',
    `error: --limit: no host or group matches "wbe1"
   Did you mean "web1" or "web"?`,
  ],
  'a file has a syntax error': [
    '-i inventory/broken.ts --no-type-check',
    `error: inventory/broken.ts cannot be compiled: Expected ";" but found "a"
   at inventory/broken.ts:1:6
     1 | this a mess
       |      ^
   Nothing was done.`,
  ],
  'a file has a type error': [
    '-i inventory/wrong.ts',
    `error: The TypeScript compiler found errors
   inventory/wrong.ts:3:14: Type 'string' is not assignable to type 'number'.
     3 | export const wrong: number = 'four'
       |              ^
   Nothing was done. Fix them, or run with --no-type-check.`,
  ],
  'a host lacks a var of its group': [
    '-i sites/lacking.ts',
    `error: The TypeScript compiler found errors
   sites/lacking.ts:5:5: web needs workers: give it here or for the whole group
     5 |     web1: { address: '127.0.0.1' },
       |     ^
   sites/lacking.ts:6:5: web needs workers: give it here or for the whole group
     6 |     web2: { address: '127.0.0.2', ssh: { user: 'x' } },
       |     ^
   Nothing was done. Fix them, or run with --no-type-check.`,
  ],
  'a value is a promise': [
    '-i sites/promised.ts',
    `error: The TypeScript compiler found errors
   sites/promised.ts:4:41: Type 'Promise<number>' is not assignable to type 'number'.
     4 | export default inventory(site, { web: { workers, hosts: { web1: { address: '127.0.0.1' } } } })
       |                                         ^
     Did you forget to use 'await'?
   Nothing was done. Fix them, or run with --no-type-check.`,
  ],
  'a template has an error': [
    '-i inventory/good.ts greet',
    `error: The TypeScript compiler found errors
   roles/templates/greeting.ejs:2:8: Cannot find name 'nmae'.
     2 | Hi <%= nmae %>
       |        ^
   Nothing was done. Fix them, or run with --no-type-check.`,
  ],
  'values do not match the schema': [
    '-i inventory/bad.ts --no-type-check',
    `error: The inventory does not fit its stack.
   web.hosts.web1.workers: should be a whole number ≥ 1, got 0
   Nothing was done yet. Fix the inventory, then run the same command again.`,
  ],
  'the user’s own code throws': [
    '-i inventory/unlucky.ts --no-type-check',
    `error: play "web" for web1: so many workers bring bad luck
   at DIR/playbooks/site.ts:5:31
     5 |     if (workers === 13) throw new Error('so many workers bring bad luck')
       |                               ^`,
  ],
  'a host is unreachable': [
    '-i inventory/good.ts --no-type-check --check',
    `error: web1 refuses the connection
   tried root@127.0.0.1:1
   Check that the host is up, that sshd runs, and the port.
web1 unreachable
1 host unreachable; 0 of 0 steps changed on 1 host. (TIME, at most 0 round trips per host, 0 KiB)`,
  ],
}

describe('an error message', function () {
  this.slow('5s')
  let project: Project

  before(() => {
    project = new Project({
      'playbooks/site.ts': SITE,
      'playbooks/decommission.ts': SITE,
      'inventory/good.ts': inventory('4'),
      'inventory/bad.ts': inventory('0'),
      'inventory/unlucky.ts': inventory('13'),
      'inventory/broken.ts': 'this a mess\n',
      'inventory/wrong.ts': inventory('4', `export const wrong: number = 'four'`),
      'sites/lacking.ts': LACKING,
      'sites/promised.ts': PROMISED,
      'hosts.yml': 'all: {}\n',
      'playbooks/greet.ts': GREET,
      'roles/greeting.ts': GREETING,
      'roles/templates/greeting.ejs': '<%# ({ name }: { readonly name: string }) -%>\nHi <%= nmae %>\n',
      'tsconfig.json': TSCONFIG,
    })
    symlinkSync(join(ROOT, 'node_modules/typescript'), join(project.directory, 'node_modules/typescript'))
  })
  after(() => project.remove())

  for (const [when, [words, text]] of Object.entries(CASES))
    it(`has the cause, the place and the next step if ${when}`, async () => {
      const { code, out, err } = await project.provision(...words.split(' '))
      expect(code).to.not.equal(0)
      const said = (out + err).replaceAll(project.directory, 'DIR').replace(/\([\d.]+ s,/, '(TIME,')
      expect(said.trimEnd()).to.equal(text)
    })
})

const LACKING = `import { inventory } from 'provision-ts'
import { site } from '../playbooks/site.ts'
export default inventory(site, {
  web: { ssh: { user: 'admin' }, hosts: {
    web1: { address: '127.0.0.1' },
    web2: { address: '127.0.0.2', ssh: { user: 'x' } },
  } },
})
`

const PROMISED = `import { inventory } from 'provision-ts'
import { site } from '../playbooks/site.ts'
const workers = Promise.resolve(4)
export default inventory(site, { web: { workers, hosts: { web1: { address: '127.0.0.1' } } } })
`

const GREET = `import { play, playbook } from 'provision-ts'
import { greeting } from '../roles/greeting.ts'
import { site } from './site.ts'
export default playbook(site, ({ web }) => [play('greet', { hosts: web }, ({ name }) => greeting({ name }))])
`

const GREETING = `import { file, role, template } from 'provision-ts'
const text = template<{ readonly name: string }>(import.meta, 'greeting.ejs')
export const greeting = role('greeting', ({ name }: { readonly name: string }) => [file('/etc/hi', text({ name }))])
`

const TSCONFIG = JSON.stringify({
  compilerOptions: {
    ...{ module: 'nodenext', target: 'es2023', strict: true, noEmit: true, skipLibCheck: true },
    ...{ allowImportingTsExtensions: true, customConditions: ['source'], types: ['node'] },
    erasableSyntaxOnly: true,
  },
  include: ['inventory/*.ts', 'sites/*.ts', 'playbooks/*.ts', 'roles/*.ts'],
  exclude: ['inventory/broken.ts'],
})
