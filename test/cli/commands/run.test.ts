import { expect } from 'chai'
import { Project } from '../project.ts'

describe('a playbook on the command line', function () {
  this.slow('3s')
  let project: Project

  before(() => {
    project = new Project(FILES)
  })
  after(() => project.remove())

  const provision = async (...args: readonly string[]) => {
    const { code, out, err } = await project.provision(...args)
    return { code, text: out + err }
  }

  it('shows its description and options with --help, then those of a run', async () => {
    const { code, text } = await provision('deploy', '--help')
    expect(code, text).to.equal(0)
    expect(text).to.match(
      /^Usage: provision deploy \[options\]\n\nDeploys a release\.\n\nOptions of deploy:\n {2}--release <value> +the release to deploy \(required: a text\)\n/,
    )
    expect(text).to.include('--inventory <file>')
  })

  it('runs prepare before the inventory is loaded, and tells it about a dry run', async () => {
    const args = ['prepared', '-i', 'inventory.ts', '--no-type-check', '--force']
    expect((await provision(...args)).text).to.match(/^prepared true false\nthe inventory was loaded\n/)
    expect((await provision(...args, '--check')).text).to.match(/^prepared true true\nthe inventory was loaded\n/)
  })

  it('with prepare cannot be saved as a plan', async () => {
    const { code, text } = await provision('plan', 'prepared', '--out', 'p.json', '-i', 'inventory.ts')
    expect(code).to.equal(64)
    expect(text).to.include(
      'prepared prepares files on this machine, which a saved plan cannot contain\n   For a dry run: provision prepared --check',
    )
    expect(text).to.not.include('was loaded')
  })

  it('gets its options among those of a run', async () => {
    const { text } = await provision('deploy', '-i', 'inventory.ts', '--release', '42', '--check')
    expect(text).to.include('the playbook: it was given 42')
  })

  it('gets them for a plan, too', async () => {
    const { text } = await provision('plan', 'deploy', '--out', 'plan.json', '-i', 'inventory.ts', '--release=42')
    expect(text).to.include('the playbook: it was given 42')
  })

  it('is not run if an option is unknown or missing', async () => {
    const mistyped = await provision('deploy', '-i', 'inventory.ts', '--relaese', '42')
    expect(mistyped.code).to.equal(64)
    expect(mistyped.text)
      .to.include('Unknown option --relaese')
      .and.include('"--release"')
      .and.not.include('was loaded')
    const missing = await provision('deploy', '-i', 'inventory.ts')
    expect(missing.code).to.equal(64)
    expect(missing.text).to.include('--release: is missing; it should be a text')
  })

  it('that is not named has suggestions for options of a run', async () => {
    const { code, text } = await provision('-i', 'inventory.ts', '--chekc')
    expect(code).to.equal(64)
    expect(text).to.include('Unknown option --chekc').and.include('"--check"')
  })
})

const FILES = {
  'playbooks/prepared.ts': `
import { flag, playbook } from 'provision-ts'
import { site } from '../stack.ts'
export default playbook(site, () => [], { flags: { force: flag }, prepare: ({ force }, { check }) => console.log('prepared', force, check) })`,
  'stack.ts': `
import { hosts, inventorySchema } from 'provision-ts'
export const site = inventorySchema({ web: hosts() })`,
  'inventory.ts': `
import { inventory } from 'provision-ts'
import { site } from './stack.ts'
export default () => {
  console.log('the inventory was loaded')
  return inventory(site, { web: { hosts: { web1: { address: '10.0.0.1' } } } })
}`,
  'playbooks/site.ts': `
import { playbook } from 'provision-ts'
import { site } from '../stack.ts'
export default playbook(site, () => [])`,
  'playbooks/deploy.ts': `
import { playbook, text, withDescription } from 'provision-ts'
import { site } from '../stack.ts'
export default playbook(site, (_values, { release }) => {
  throw new Error(\`it was given \${release}\`)
}, { description: 'Deploys a release.', flags: { release: withDescription('the release to deploy', text) } })`,
}
