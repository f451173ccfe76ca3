import { expect } from 'chai'
import { Project } from './project.ts'

const SITE = `import { command, hosts, play, playbook, inventorySchema, sh } from 'provision-ts'
export const site = inventorySchema({ web: hosts() })
export default playbook(site, ({ web }) => [play('web', { hosts: web }, () => command('a', sh\`true\`, { unless: sh\`false\` }))])
`
const INVENTORY = `import { inventory } from 'provision-ts'
import { site } from '../playbooks/site.ts'
const ssh = { transport: 'local' as const }
export default inventory(site, { become: { method: 'none' }, web: { hosts: { web1: { address: '127.0.0.1', ssh } } } })
`

/** Command lines that people guess from other tools, with what they get. */
const HINTS: Readonly<Record<string, string>> = {
  check: 'provision validate finds errors without hosts. For a dry run: provision --check.',
  steps: 'Use provision list-steps.',
  lint: 'Use provision validate.',
  status: 'Use provision verify, provision watch, or provision report --list for past runs.',
  ping: 'Use provision doctor, or provision exec true.',
  shell: "Use provision ssh HOST, or provision exec 'COMMAND'.",
  '--list-tasks': 'Use provision list-steps.',
  '--list-hosts': 'Use provision hosts.',
  '--force': 'provision resume --anyway ignores changed files. --wait waits for locked hosts.',
  '--out plan.json': 'Use provision plan --out FILE, then provision apply FILE.',
  'hosts --json': 'Use --output json.',
  apply: 'To make a plan: provision plan --out FILE. To run a playbook without one: provision PLAYBOOK.',
  'apply site': 'To run it: provision site',
}

describe('a guessed name', function () {
  this.slow('3s')
  let project: Project
  before(() => {
    project = new Project({ 'playbooks/site.ts': SITE, 'inventory/lab.ts': INVENTORY })
  })
  after(() => project.remove())

  const provision = (...args: readonly string[]) => project.provision(...args)
  const options = ['-i', 'inventory/lab.ts', '--no-type-check']

  for (const [line, hint] of Object.entries(HINTS))
    it(`is answered with the right one: ${line}`, async () => {
      const more = line.startsWith('-') ? options : []
      const { code, err } = await provision(...line.split(' '), ...more)
      expect([code, err.split('\n')[1]]).to.deep.equal([64, `   ${hint}`])
    })

  it('of a plan is explained', async () => {
    const [none, other] = await Promise.all([provision('apply'), provision('apply', 'site')])
    expect(none.err.split('\n')[0]).to.equal('error: Missing argument <plan>')
    expect(other.err.split('\n')[0]).to.equal('error: site is a playbook, not a saved plan')
  })

  it('works if it has one meaning: --dry-run, -C, plan without --out', async () => {
    for (const args of [['--dry-run'], ['-C']]) {
      const { code, out } = await provision('site', ...options, '--no-journal', ...args)
      expect([code, /would change/.test(out)], out).to.deep.equal([2, true])
    }
    const { code, out } = await provision('plan', 'site', ...options)
    expect([code, /would change/.test(out)], out).to.deep.equal([2, true])
  })

  it('is a playbook if there is one of that name', async () => {
    project.write('playbooks/status.ts', `export { default } from './site.ts'\nexport default 1\n`)
    const { err } = await provision('status', '--help')
    expect(err).not.to.include('Unknown command')
  })
})

describe('invalid usage', function () {
  this.slow('3s')
  let project: Project
  before(() => {
    project = new Project({ 'playbooks/site.ts': SITE, 'inventory/lab.ts': INVENTORY })
  })
  after(() => project.remove())

  const CASES: Readonly<Record<string, string>> = {
    'hosts web1': 'error: Unexpected argument "web1"\n   For the usage: provision hosts --help\n',
    'exec --timeout 3s': 'error: Missing argument <command>\n   For the usage: provision exec --help\n',
    'hosts --limit':
      'error: Missing value of the option -l, --limit <hosts>\n   For the usage: provision hosts --help\n',
    'completion tcsh': 'error: Invalid value "tcsh" of <shell>\n   Allowed choices are bash, zsh, fish.\n',
    'logs -n 0': 'error: Invalid value "0" of -n, --lines <count>\n   Must be a whole number from 1\n',
    'new rolle': 'error: Unknown command "new rolle"\n   Did you mean "role"?\n',
  }
  for (const [line, text] of Object.entries(CASES))
    it(`is reported with what to do: ${line}`, async () => {
      const { code, err } = await project.provision(...line.split(' '))
      expect([code, err]).to.deep.equal([64, text])
    })

  it('is not --wait before a playbook: the playbook is not its value', async () => {
    for (const wait of [['--wait'], ['--wait', '5s'], ['--wait=5s']]) {
      const args = [...wait, 'site', '-i', 'inventory/lab.ts', '--no-type-check', '--check']
      const { code, out, err } = await project.provision(...args)
      expect(code, out + err).to.equal(2)
    }
  })
})
