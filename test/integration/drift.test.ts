import { expect } from 'chai'
import { ownLab, provision } from './support.ts'

const FILES = {
  'schema.ts': `
import { hosts, inventorySchema } from 'provision-ts'
export const site = inventorySchema({ web: hosts() })
`,
  'inventory.ts': `
import { inventory } from 'provision-ts'
import { openLab } from 'provision-ts/lab'
import { site } from './schema.ts'
const { address, ssh } = openLab(process.env.LAB).host('web1')
export default inventory(site, { web: { hosts: { web1: { address, ssh } } } })
`,
  'playbook.ts': `
import { file, handler, play, playbook, role, service, sh } from 'provision-ts'
import { site } from './schema.ts'
const base = role('base', (_params: object) => [
  file('/etc/motd', 'welcome\\n', { notify: handler('restart journald', sh\`systemctl restart systemd-journald\`) }),
  file('/etc/other', 'other\\n'),
  service('systemd-journald', { enabled: 'any' }),
])
export default playbook(site, ({ web }) => [play('web', { hosts: web }, () => base({}))])
`,
}

describe('drift of a file that was edited on a host', function () {
  this.slow('20s')
  const own = ownLab('test-drift', ['web1'], () => FILES)
  /** In the folder of the test, which has the records of its runs. */
  const run = (...words: readonly string[]) => provision(words, { LAB: own.lab.name }, own.desk.directory)
  const site = ['playbook.ts', '--inventory', 'inventory.ts', '--no-type-check']

  it('names the role with its line, the run that left the file, and the login', async () => {
    const applied = await run('./playbook.ts', ...site.slice(1))
    expect(applied.code, applied.text).to.equal(0)
    const clean = await run('drift', './playbook.ts', ...site.slice(1))
    expect([clean.code, clean.text]).to.deep.equal([0, 'No drift: web1\n'])
    // A login by SSH, as that of an administrator.
    const edit = await run('exec', 'echo edited >>/etc/motd', '--inventory', 'inventory.ts', '--no-type-check')
    expect(edit.code, edit.text).to.equal(0)

    const { code, text } = await run('drift', './playbook.ts', ...site.slice(1))
    expect(code, text).to.equal(2)
    expect(text).to.match(/^web1: 1 step differs\n {2}~ file \/etc\/motd \[base\], \S*playbook\.ts:5:3$/m)
    expect(text).to.match(
      /^ {6}changed on the host since the last run\n {6}content: now [\w ]+, the last run left (\w+), declared \1$/m,
    )
    expect(text).to.match(/^ {6}last run: .* \(provision \.\/playbook\.ts /m)
    expect(text).to.match(/^ {2}Logins since /m)
    const logins = text.split('\n').filter((line) => / from \S+, publickey /.test(line))
    expect(
      logins.filter((line) => !/\((?:run \S+|this command)\)$/.test(line)),
      text,
    ).to.have.length.of.at.least(1)
    // The first report of drift, whose record is that of a run.
    expect(
      logins.filter((line) => /\(run \S+\)$/.test(line)),
      text,
    ).to.have.length.of.at.least(1)
    expect(
      logins.filter((line) => line.endsWith('(this command)')),
      text,
    ).to.have.length.of.at.least(1)
    expect(text).not.to.include('/etc/other')
  })

  it('is explained without a connection: the role, the line, the run, and the handlers of a unit', async () => {
    const motd = await run('why', '/etc/motd@web1', ...site.with(0, './playbook.ts'))
    expect(motd.code, motd.text).to.equal(0)
    expect(motd.text)
      .to.match(/^ {2}role {8}base$/m)
      .and.to.match(/^ {2}code {8}\S*playbook\.ts:5:3$/m)
    expect(motd.text).to.match(
      /^ {2}last change change content, .*, run \d{8}-\d{6}-\w{4} \(provision \.\/playbook\.ts /m,
    )
    const unit = await run('why', 'systemd-journald@web1', ...site.with(0, './playbook.ts'))
    expect(unit.text).to.include('  restart journald: file /etc/motd [base], ')
  })

  it('is corrected by a run, and part of the history', async () => {
    const corrected = await run('./playbook.ts', ...site.slice(1))
    expect(corrected.code, corrected.text).to.equal(0)
    const { text } = await run('drift', '--history')
    expect(text).to.match(/^web1 file \/etc\/motd: changed on the host since the last run$/m)
    expect(text).to.match(/^ {4}found .*\n(?: {4}seen until .*\n)? {4}corrected .*\(provision \.\/playbook\.ts /m)
  })

  it('is unknown, and not absent, if the host cannot be reached', async () => {
    await own.lab.exec('web1', 'systemctl stop ssh.socket ssh.service 2>/dev/null; systemctl stop ssh')
    const { code, text } = await run('drift', './playbook.ts', ...site.slice(1))
    expect(code, text).to.equal(3)
    expect(text)
      .to.match(/^web1: unknown: /m)
      .and.not.to.include('No drift')
  })
})
