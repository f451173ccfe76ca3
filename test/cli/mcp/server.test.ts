import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { expect } from 'chai'
import { noTerminal, PseudoTerminal } from '../../support/terminal.ts'
import { Project } from '../project.ts'

const ROOT = resolve(import.meta.dirname, '../../..')
const SITE = `import { credential, file, flag, hosts, inventorySchema, play, playbook } from 'provision-ts'
console.log('the playbook is loaded')
export const site = inventorySchema({ password: credential, web: hosts() })
export default playbook(site, ({ web, password }, { loud }) => [
  play('web', { hosts: web }, () => [
    file(\`/\${process.cwd().slice(1)}/motd\`, loud ? 'HELLO\\n' : 'hello\\n', { owner: process.env.USER_NAME }),
    file(\`/\${process.cwd().slice(1)}/password\`, password, { owner: process.env.USER_NAME }),
  ]),
], { flags: { loud: flag } })
`
const INVENTORY = `import { inventory, secret } from 'provision-ts'
import { site } from './playbooks/site.ts'
export default inventory(site, {
  password: secret.of('CanaryOfAgents'),
  become: { method: 'none' },
  web: { hosts: { web1: { address: '127.0.0.1', ssh: { transport: 'local' } } } },
})
`

/** The steps of one session of an agent: each depends on those before it. */
describe('provision mcp, with a client of the SDK', function () {
  this.slow('10s').bail(true)
  let project: Project
  let client: Client
  let name = ''
  let id = ''

  before(async () => {
    project = new Project({ 'playbooks/site.ts': SITE, 'inventory.ts': INVENTORY })
    client = new Client({ name: 'test', version: '1' })
    await client.connect(
      new StdioClientTransport({
        command: process.execPath,
        args: [join(ROOT, 'bin/provision.js'), 'mcp', '--inventory', 'inventory.ts', '--no-type-check'],
        cwd: project.directory,
        env: environment(),
        stderr: 'ignore',
      }),
      LONG,
    )
  })
  after(async () => {
    await client.close()
    project.remove()
  })

  const at = (path: string) => join(project.directory, path)
  const call = async (tool: string, given: Record<string, unknown> = {}) => {
    const { content, isError } = await client.callTool({ name: tool, arguments: given }, undefined, LONG)
    const [first] = content as readonly { readonly text: string }[]
    return { text: first?.text ?? '', isError: isError === true }
  }
  const planned = async (given: Record<string, unknown> = {}) => {
    const { text, isError } = await call('plan', given)
    expect(isError, text).to.equal(false)
    expect(text).to.include('### Plan: ').and.not.include('CanaryOfAgents')
    return /saved as (\d+\.json)\./.exec(text)?.[1] ?? ''
  }
  const request = async (plan: string) => {
    const { text } = await call('apply', { plan })
    return /provision approve ([0-9a-f]{8})$/.exec(text)?.[1] ?? text
  }
  const approve = async (request: string, answer: string) => {
    const command = `${process.execPath} ${ROOT}/bin/provision.js approve ${request} --no-type-check --output lines --wait`
    const terminal = new PseudoTerminal(command, { cols: 200, rows: 60, cwd: project.directory, env: environment() })
    await terminal.until(/Only "yes" applies it:/)
    const screen = await terminal.screen()
    terminal.type(`${answer}\n`)
    return { screen, code: await terminal.code }
  }

  it('lists its tools; only apply is not read-only', async () => {
    const { tools } = await client.listTools({}, LONG)
    expect(tools.map(({ name, annotations }) => [name, annotations?.readOnlyHint])).to.deep.equal([
      ...[
        ['hosts', true],
        ['plan', true],
        ['why', true],
        ['report', true],
        ['logs', true],
      ],
      ['apply', false],
    ])
    expect(client.getInstructions()).to.include('none of them changes a host')
  })

  it('shows hosts and plans with secrets masked, and the records of runs', async () => {
    const hosts = await call('hosts', { limit: 'web' })
    // The project itself prints a line, which does not disturb the protocol.
    expect(JSON.parse(hosts.text.split('\n').at(-1) ?? '')).to.include({
      host: 'web1',
      group: 'web',
      address: '127.0.0.1',
    })
    name = await planned()
    expect(existsSync(at('motd'))).to.equal(false)
    const loud = await call('plan', { options: { loud: true } })
    expect(loud.text).to.include('+HELLO')
    const why = await call('why', { thing: `${project.directory}/motd@web1` })
    expect(why.text, why.text).to.include('"source":"playbooks/site.ts:6:5"')
    expect((await call('why', { thing: '/etc/other@web1' })).isError).to.equal(false)
    const list = await call('report')
    expect(list.text).to.match(/ ok +2 to change/)
    const journal = await call('report', { run: 'last' })
    expect(journal.text).to.include('"kind":"end"').and.not.include('CanaryOfAgents')
  })

  it('answers errors as results', async () => {
    expect(await call('hosts', { limit: 'db' })).to.deep.include({ isError: true })
    expect((await call('exec', { command: 'reboot' })).text).to.include('There is no tool "exec"')
    expect((await call('plan', { playbook: 'other' })).text).to.include('playbooks/other.ts does not exist')
  })

  it('applies nothing by itself: it writes a request', async () => {
    id = await request(name)
    expect(id).to.match(/^[0-9a-f]{8}$/)
    expect(await request(name)).to.equal(id)
    expect(existsSync(at('motd'))).to.equal(false)
    expect(statSync(at('.provision/requests')).mode & 0o777).to.equal(0o700)
    const file = at(`.provision/requests/${id}.json`)
    expect(statSync(file).mode & 0o777).to.equal(0o600)
    expect(JSON.parse(readFileSync(file, 'utf8'))).to.include({ id, state: 'pending' })
    const piped = await project.provision('approve', id)
    expect([piped.code, piped.err]).to.deep.equal([
      64,
      'error: provision approve needs a terminal, in which an operator answers\n   Run it yourself. It shows the plan first.\n',
    ])
    expect((await project.provision('approve')).err).to.include('Missing argument <request>')
    expect(existsSync(at('motd'))).to.equal(false)
  })

  it('is rejected by an operator who saw the plan and does not answer yes', async function () {
    if (noTerminal()) return this.skip()
    const { screen, code } = await approve(id, 'y')
    expect(screen).to.include(`Request ${id} of `).and.include('+hello').and.not.include('CanaryOfAgents')
    expect(code).to.equal(5)
    expect(existsSync(at('motd'))).to.equal(false)
    expect((await call('apply', { plan: name })).text).to.equal(`The request ${id} was rejected. Nothing was changed.`)
    const again = new PseudoTerminal(`${process.execPath} ${ROOT}/bin/provision.js approve ${id}`, {
      cwd: project.directory,
    })
    expect(await again.code).to.equal(64)
    expect(await again.screen()).to.include(`The request ${id} is not pending: it is rejected`)
  })

  it('is applied after an operator has approved it, as it was requested', async function () {
    if (noTerminal()) return this.skip()
    const plan = await planned()
    const wanted = await request(plan)
    const path = at(`.provision/plans/${plan}`)
    const text = readFileSync(path, 'utf8')
    writeFileSync(path, text.replace('"made": "2', '"made": "3'))
    const altered = new PseudoTerminal(`${process.execPath} ${ROOT}/bin/provision.js approve ${wanted}`, {
      ...{ cols: 200, cwd: project.directory },
    })
    expect(await altered.code).to.equal(64)
    expect(await altered.screen()).to.include(`has changed since the request ${wanted} was made`)
    writeFileSync(path, text)
    expect((await approve(wanted, 'yes')).code).to.equal(0)
    expect(readFileSync(at('motd'), 'utf8')).to.equal('hello\n')
    expect((await call('apply', { plan })).text).to.include(
      `The request ${wanted} was approved, and the run has ended with status 0`,
    )
    expect(readdirSync(at('.provision/plans')).length).to.be.above(1)
    const unknown = new PseudoTerminal(`${process.execPath} ${ROOT}/bin/provision.js approve 00000000`, {
      cwd: project.directory,
    })
    expect(await unknown.code).to.equal(64)
    expect(await unknown.screen()).to.include('There is no request 00000000')
  })
})

/** The requests of a client end after a minute by default, which a slow machine may need. */
const LONG = { timeout: 1_800_000 }

function environment(): Record<string, string> {
  const own = Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined)
  return {
    ...Object.fromEntries(own),
    USER_NAME: process.getuid?.() === 0 ? 'root' : (process.env['USER'] ?? ''),
    NO_COLOR: '1',
  }
}
