import { join, resolve } from 'node:path'
import { expect } from 'chai'
import { load } from '../../../src/cli/load/load.ts'
import { Problem } from '../../../src/model/problem.ts'
import { excerpt, plain } from '../../../src/report/problem.ts'
import { thrown } from '../../transport/helpers.ts'
import { Project } from '../project.ts'

const ROOT = resolve(import.meta.dirname, '../../..')

const STACK = `import { hosts, port, inventorySchema } from 'provision-ts'
export const site = inventorySchema({ web: hosts({ port }) })
`
const INVENTORY = `import { inventory } from 'provision-ts'
import { site } from './stack.ts'
export default inventory(site, { web: { port: 80, hosts: { web1: { address: '10.0.0.1' } } } })
`
const PLAYBOOK = `import { file, play, playbook } from 'provision-ts'
import { site } from './stack.ts'
export default playbook(site, ({ web }) => [play('web', { hosts: web }, ({ port }) => file('/a', String(port)))])
`

describe('user files', () => {
  let project: Project
  beforeEach(() => {
    project = new Project({ 'stack.ts': STACK, 'inventory.ts': INVENTORY, 'playbook.ts': PLAYBOOK })
  })
  afterEach(() => project.remove())

  const loaded = (names: { inventory?: string; playbook?: string; typeCheck?: boolean } = {}) =>
    load(
      {
        inventory: join(project.directory, names.inventory ?? 'inventory.ts'),
        playbook: join(project.directory, names.playbook ?? 'playbook.ts'),
      },
      {
        // Not built: the loader of the tests resolves .js to .ts.
        installation: { root: `${ROOT}/`, compiled: `${ROOT}/src/` },
        typeCheck: names.typeCheck ?? false,
      },
    )
  const problem = async (names: Parameters<typeof loaded>[0] = {}) => {
    const error = await thrown(loaded(names))
    if (error instanceof Problem) return error
    throw error
  }

  it('are loaded from TypeScript and import our package', async () => {
    const { inventory, playbook } = await loaded()
    expect(inventory.hosts.map(({ name }) => name)).to.deep.equal(['web1'])
    expect(playbook.plays(inventory.values).map(({ label }) => label)).to.deep.equal(['web'])
  })

  it('may export the inventory as an async function', async () => {
    project.write('inventory.ts', INVENTORY.replace('inventory(site', 'async () => inventory(site'))
    expect((await loaded()).inventory.hosts).to.have.length(1)
  })

  it('are reported if they do not exist', async () => {
    expect((await problem({ inventory: 'nope.ts' })).message).to.equal(`${project.directory}/nope.ts does not exist`)
    expect((await problem({ playbook: 'nope.ts' })).next).to.match(/The default is playbooks\/site\.ts/)
  })

  it('with a syntax error are reported with line, column and an excerpt', async () => {
    project.write('stack.ts', 'const a = 1\nexport const site = stack(}\n')
    const { where, message } = await problem()
    expect(message).to.match(/stack\.ts cannot be compiled: Unexpected "}"$/)
    expect(where).to.match(/stack\.ts:2:27$/)
    expect(excerpt(String(where), plain)).to.deep.equal(['2 | export const site = stack(}', `  | ${' '.repeat(26)}^`])
  })

  it('that import a missing file are reported', async () => {
    project.write('playbook.ts', `import './missing.ts'\n`)
    expect((await problem()).message).to.match(/playbook\.ts cannot be compiled: Could not resolve ".\/missing.ts"$/)
  })

  it('must export an inventory', async () => {
    project.write('inventory.ts', 'export const a = 1\n')
    expect((await problem()).message).to.match(/inventory\.ts does not export an inventory$/)
    project.write('inventory.ts', PLAYBOOK)
    expect((await problem({ inventory: 'playbook.ts' })).next).to.match(/export default inventory\(…\)/)
    expect((await problem({ inventory: 'inventory.ts' })).message).to.match(/does not export an inventory$/)
  })

  it('must export a playbook', async () => {
    project.write('playbook.ts', 'export default 5\n')
    expect((await problem()).message).to.match(/playbook\.ts does not export a playbook$/)
  })

  it('that throw are reported', async () => {
    project.write('inventory.ts', `throw new Error('no vault')\nexport default 1\n`)
    expect((await problem()).message).to.match(/inventory\.ts failed: no vault$/)
    project.write('other.ts', `export default () => { throw new Error('nor here') }\n`)
    expect((await problem({ inventory: 'other.ts' })).message).to.match(/other\.ts failed: nor here$/)
  })

  it('with type errors are rejected each time until they are fixed', async () => {
    project.write('tsconfig.json', `{ "extends": "${ROOT}/tsconfig.json", "include": ["*.ts"] }`)
    project.write('inventory.ts', INVENTORY.replace('port: 80,', ''))
    project.write('unused.ts', 'export const a: string = 1\n')
    for (const _time of ['the first time', 'and again']) {
      const { message, details } = await problem({ typeCheck: true })
      expect(message).to.equal('The TypeScript compiler found errors')
      expect(details).to.have.length(3)
      expect(details[0]).to.match(/inventory\.ts:3:\d+: .*web1|web needs port/)
    }
  })

  it('are not type-checked with --no-type-check', async () => {
    project.write('tsconfig.json', `{ "extends": "${ROOT}/tsconfig.json", "include": ["*.ts"] }`)
    project.write('playbook.ts', `${PLAYBOOK}export const wrong: string = 1\n`)
    expect((await loaded({ typeCheck: false })).playbook.type).to.equal('playbook')
  })
})
