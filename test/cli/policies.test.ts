import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { parseJournal } from '../../src/report/journal/format.ts'
import { timelineOf } from '../../src/report/journal/timeline.ts'
import { Project } from './project.ts'

const SITE = `import { credential, file, hosts, inventorySchema, play, playbook } from 'provision-ts'
export const site = inventorySchema({ password: credential, web: hosts() })
export default playbook(site, ({ web, password }) => [
  play('web', { hosts: web }, () => [
    file(\`/\${process.cwd().slice(1)}/motd\`, 'hello', { owner: process.env.USER_NAME }),
    file(\`/\${process.cwd().slice(1)}/password\`, password, { owner: process.env.USER_NAME }),
  ]),
])
`
const inventory = (options: string) => `import { inventory, lift, policy, secret, waive } from 'provision-ts'
import { site } from './site.ts'
export default inventory(site, {
  password: secret.env('POLICY_PASSWORD'),
  become: { method: 'none' },
  web: { hosts: { web1: { address: '127.0.0.1', ssh: { transport: 'local' } } } },
}, ${options})
`
const NO_FILES = `policy('no file may change', ({ changes }) => changes.filter(({ kind }) => kind === 'file'))`
const TSCONFIG = JSON.stringify({
  compilerOptions: {
    ...{ module: 'nodenext', target: 'es2023', strict: true, noEmit: true, allowImportingTsExtensions: true },
    ...{ skipLibCheck: true, customConditions: ['source'], types: ['node'] },
  },
  include: ['*.ts'],
})
/** Other tests run on this machine, too, and hold its lock meanwhile. */
const WAIT = '--wait'
const WORDS = ['./site.ts', '--inventory', 'inventory.ts', '--no-type-check']

describe('policies of an inventory', function () {
  this.slow('5s')
  let project: Project
  before(() => {
    process.env['POLICY_PASSWORD'] = 'CanaryOfPolicies'
    process.env['USER_NAME'] = process.getuid?.() === 0 ? 'root' : process.env['USER']
  })
  after(() => {
    delete process.env['POLICY_PASSWORD']
    delete process.env['USER_NAME']
  })
  beforeEach(() => {
    project = new Project({ 'site.ts': SITE, 'tsconfig.json': TSCONFIG })
  })
  afterEach(() => project.remove())

  const given = (options: string) => project.write('inventory.ts', inventory(options))
  const journal = () => {
    const folder = join(project.directory, '.provision/runs')
    return readFileSync(join(folder, readdirSync(folder).sort().at(-1) ?? ''), 'utf8')
  }

  it('refuse a run with status 5, a plan that is shown, and its file; validate says it of new hosts', async () => {
    given(`{ policies: [${NO_FILES}] }`)
    const plan = await project.provision('plan', ...WORDS, '--out', 'plan.json')
    expect(plan.code, plan.err).to.equal(5)
    expect(plan.out)
      .to.include('web1 ~ file ')
      .and.match(/^error: web1: the policy "no file may change" does not allow file \S+motd\n +at \S+\/site\.ts:5:5$/m)
      .and.match(/^Refused by policies: nothing was changed; 2 of 2 steps would change on 1 host\./m)
    expect(plan.err).to.equal(`error: The plan was not saved: policies refuse it
   Change the playbook, or add a waiver to the inventory. Then make the plan again.
`)
    expect(existsSync(join(project.directory, 'plan.json'))).to.equal(false)
    const comment = await project.provision('plan', ...WORDS, '--markdown')
    expect(comment.code, comment.err).to.equal(5)
    expect(comment.out)
      .to.match(/^### Plan: 2 steps would change on 1 host; refused by policies\n/)
      .and.include('\n+hello\n')
      .and.include('<details><summary><b>web1</b>: 2 to change</summary>')
      .and.not.include('CanaryOfPolicies')
    const run = await project.provision(...WORDS, WAIT)
    expect(run.code, run.err).to.equal(5)
    expect(run.out)
      .to.match(/^Refused by policies: nothing was changed\. \(/m)
      .and.not.include('CanaryOfPolicies')
    expect(existsSync(join(project.directory, 'motd'))).to.equal(false)
    expect(existsSync(join(project.directory, '.provision/unfinished.json'))).to.equal(false)
    expect(timelineOf(journal()).hosts[0]).to.include({ outcome: 'failed' })
    expect((await project.provision('report', '--list')).out).to.match(/ refused +0 changed/)
    delete process.env['POLICY_PASSWORD']
    const validate = await project.provision('validate', './site.ts', '--inventory', 'inventory.ts')
    process.env['POLICY_PASSWORD'] = 'CanaryOfPolicies'
    expect(validate.code, validate.err).to.equal(0)
    expect(validate.out).to.match(
      /^ {2}On a new host: web1: the policy "no file may change" does not allow file \S+motd$/m,
    )
  })

  it('let a run pass with a waiver, which is recorded; an expired one is a note of validate', async () => {
    given(`{ policies: [${NO_FILES}], waivers: [
      waive('no file may change', { until: '2126-12-24', reason: 'the first installation' }),
      lift('file /etc/a', { until: '2026-01-01', reason: 'long ago' }),
    ] }`)
    const run = await project.provision(...WORDS, WAIT)
    expect(run.code, run.err).to.equal(0)
    expect(run.out).to.match(
      /^web1 · waived until 2126-12-24T23:59:59\.999Z: no file may change: file \S+motd \(the first installation\)$/m,
    )
    const waived = parseJournal(journal()).lines.filter(({ kind }) => kind === 'policy')
    expect(waived).to.have.length(2)
    expect(waived[0]).to.deep.include({ outcome: 'waived', host: 'web1', reason: 'the first installation' })
    expect(timelineOf(journal()).hosts[0]?.entries.some(({ title }) => title.includes('waived until'))).to.equal(true)
    const validate = await project.provision('validate', './site.ts', '--inventory', 'inventory.ts')
    expect(validate.code, validate.err).to.equal(0)
    expect(validate.out).to.include('  A waiver for file /etc/a has expired at 2026-01-01T23:59:59.999Z.\n')
  })

  it('are errors of validate if a rule fails or a waiver is for no policy', async () => {
    given(`{ policies: [policy('broken', () => { throw new Error('no calendar') })] }`)
    const broken = await project.provision('validate', './site.ts', '--inventory', 'inventory.ts')
    expect(broken.code).to.equal(1)
    expect(broken.err).to.match(/^error: policy "broken": no calendar\n +at \S+\/inventory\.ts:7:/)
    given(`{ waivers: [waive('no file', { until: '2126-12-24', reason: 'a reason' })] }`)
    const unknown = await project.provision(...WORDS, WAIT)
    expect(unknown.code).to.equal(64)
    expect(unknown.err).to.include('waivers: there is no policy "no file".')
  })
})
