import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { expect } from 'chai'

const ROOT = resolve(import.meta.dirname, '../..')

describe('a playbook on the command line', function () {
  this.slow('3s')
  const directory = mkdtempSync(join(tmpdir(), 'provision-flags-'))

  before(() => {
    mkdirSync(join(directory, 'node_modules'))
    mkdirSync(join(directory, 'playbooks'))
    symlinkSync(ROOT, join(directory, 'node_modules/provision-ts'))
    for (const [name, text] of Object.entries(FILES)) writeFileSync(join(directory, name), text)
  })
  after(() => rmSync(directory, { recursive: true }))

  const provision = (...args: string[]): Promise<{ readonly code: number; readonly text: string }> =>
    new Promise((done) => {
      const options = { cwd: directory, env: { ...process.env, NO_COLOR: '1' } }
      execFile(
        process.execPath,
        [join(ROOT, 'bin/provision.js'), ...args],
        options,
        (error, stdout, stderr) => done({ code: error ? Number(error.code) : 0, text: stdout + stderr }),
      )
    })

  it('tells by --help what it is for and takes, beside what every run takes', async () => {
    const { code, text } = await provision('deploy', '--help')
    expect(code, text).to.equal(0)
    expect(text).to.match(
      /^Usage: provision deploy \[options\]\n\nDeploys a release\.\n\nOptions of deploy:\n {2}--release <value> +the release to deploy \(required: a text\)\n/,
    )
    expect(text).to.include('--inventory <file>')
  })

  it('prepares before the inventory is asked, and is told when it is only to look', async () => {
    const args = ['prepared', '-i', 'inventory.ts', '--no-type-check', '--force']
    expect((await provision(...args)).text).to.match(/^prepared true false\nthe inventory was asked\n/)
    expect((await provision(...args, '--check')).text).to.match(
      /^prepared true true\nthe inventory was asked\n/,
    )
  })

  it('that prepares is not planned: a plan cannot hold what it makes', async () => {
    const { code, text } = await provision('plan', 'prepared', '--out', 'p.json', '-i', 'inventory.ts')
    expect(code).to.equal(64)
    expect(text).to.include(
      'prepared prepares files on this machine, which a saved plan cannot contain\n   For a dry run: provision prepared --check',
    )
    expect(text).to.not.include('asked')
  })

  it('is told its flags among our own', async () => {
    const { text } = await provision('deploy', '-i', 'inventory.ts', '--release', '42', '--check')
    expect(text).to.include('the playbook: it was told 42')
  })

  it('is told them when a plan is made, too', async () => {
    const { text } = await provision(
      'plan',
      'deploy',
      '--out',
      'plan.json',
      '-i',
      'inventory.ts',
      '--release=42',
    )
    expect(text).to.include('the playbook: it was told 42')
  })

  it('does nothing, and asks no inventory, when a flag is mistyped, missing or wrong', async () => {
    const mistyped = await provision('deploy', '-i', 'inventory.ts', '--relaese', '42')
    expect(mistyped.code).to.equal(64)
    expect(mistyped.text)
      .to.include('Unknown option --relaese')
      .and.include('"--release"')
      .and.not.include('asked')
    const missing = await provision('deploy', '-i', 'inventory.ts')
    expect(missing.code).to.equal(64)
    expect(missing.text).to.include('--release: is missing; it should be a text')
  })

  it('of which no name is said still knows a mistyped option of ours', async () => {
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
  'package.json': '{ "type": "module" }',
  'stack.ts': `
import { hosts, inventorySchema } from 'provision-ts'
export const site = inventorySchema({ web: hosts() })`,
  'inventory.ts': `
import { inventory } from 'provision-ts'
import { site } from './stack.ts'
export default () => {
  console.log('the inventory was asked')
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
  throw new Error(\`it was told \${release}\`)
}, { description: 'Deploys a release.', flags: { release: withDescription('the release to deploy', text) } })`,
}
