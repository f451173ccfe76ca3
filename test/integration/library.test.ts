import { expect } from 'chai'
import { execa } from 'execa'
import { ownLab, ROOT } from './support.ts'

const FILES = {
  'project.mts': `
import { file, flag, hosts, inventory, inventorySchema, play, playbook } from 'provision-ts'
import { openLab } from 'provision-ts/lab'
export const schema = inventorySchema({ web: hosts() })
export const site = playbook(schema, ({ web }, { loud }) => [
  play('web', { hosts: web }, () => [file('/etc/motd', loud ? 'WELCOME\\n' : 'welcome\\n'), file('/etc/other', 'other\\n')]),
], { flags: { loud: flag } })
const lab = openLab(process.env.LAB)
const { address, ssh } = lab.host('web1')
export const own = inventory(schema, { web: { hosts: { web1: { address, ssh } } } })
`,
  'program.mts': `
import { apply, plan, run } from 'provision-ts/engine'
import { own, site } from './project.mts'
const said: unknown[] = []
const request = { inventory: own, playbook: site }
const { status, plan: reviewed } = await plan(request).result
said.push(status)
const stored = JSON.parse(JSON.stringify(reviewed))
const applying = apply(stored, request)
// A reader that leaves does not stop the run.
for await (const event of applying) if (event.kind === 'connected') break
said.push((await applying.result).status)
said.push((await plan(request).result).status)
said.push(await apply(stored, request).result.then(({ status }) => status, (error) => error.message))
const changed: string[] = []
for await (const event of run({ ...request, options: { loud: true } }))
  if (event.kind === 'step' && event.outcome === 'changed') changed.push(event.host + ' ' + event.step.name)
said.push(changed)
process.stderr.write(JSON.stringify(said))
`,
}

describe('the engine as a library, on a host', function () {
  this.slow('20s')
  const own = ownLab('test-library', ['web1'], () => FILES)

  it('plans, applies the stored plan, refuses it later, and prints nothing', async () => {
    const { stdout, stderr, exitCode } = await execa(
      process.execPath,
      ['--import', `${ROOT}/node_modules/tsx/dist/loader.mjs`, '-C', 'source', 'program.mts'],
      { cwd: own.desk.directory, env: { LAB: own.lab.name }, reject: false },
    )
    expect(exitCode, stderr).to.equal(0)
    expect(stdout).to.equal('')
    const [first, applied, second, late, changed] = JSON.parse(stderr) as readonly unknown[]
    expect([first, applied, second]).to.deep.equal(['changes', 'ok', 'ok'])
    expect(late).to.match(/^The hosts are no longer as they were planned/)
    expect(changed).to.deep.equal(['web1 /etc/motd'])
    const { stdout: text } = await own.lab.exec('web1', 'cat /etc/motd')
    expect(text).to.equal('WELCOME\n')
  })
})
