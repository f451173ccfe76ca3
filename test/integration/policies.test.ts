import { expect } from 'chai'
import { ownLab } from './support.ts'

const FILES = {
  'schema.ts': `
import { hosts, inventorySchema } from 'provision-ts'
export const site = inventorySchema({ web: hosts() })
`,
  'inventory.ts': `
import { inventory, lift, policy, waive } from 'provision-ts'
import { openLab } from 'provision-ts/lab'
import { site } from './schema.ts'
const { address, ssh } = openLab(process.env.LAB).host('web1')
const noRestart = policy('no restart of cron', ({ changes }) =>
  process.env.STRICT ? changes.filter(({ restarts }) => restarts.includes('cron')) : false)
const until = { until: '2126-12-24', reason: 'a fix' }
export default inventory(site, { web: { hosts: { web1: { address, ssh } } } }, {
  policies: [noRestart],
  waivers: process.env.WAIVED ? [waive(noRestart, until), lift('file /etc/pinned', until)] : [],
})
`,
  'playbook.ts': `
import { file, pkg, play, playbook, protect, restarted } from 'provision-ts'
import { site } from './schema.ts'
export default playbook(site, ({ web }) => [
  play('web', { hosts: web }, () => [
    pkg('cron'),
    file('/etc/motd', 'welcome\\n'),
    file('/etc/default/cron', \`# \${process.env.EDITION}\\n\`, { notify: restarted('cron.service') }),
    protect(file('/etc/pinned', process.env.PINNED ?? 'one\\n'), 'clients pin it'),
  ]),
])
`,
}

describe('policies, on a host', function () {
  this.slow('20s')
  const own = ownLab('test-policies', ['web1'], () => FILES)

  const state = async () =>
    (
      await own.lab.exec(
        'web1',
        'cat /etc/motd /etc/default/cron /etc/pinned 2>&1; systemctl show -p MainPID cron; ls /var/lib/provision 2>&1',
      )
    ).stdout

  it('stop a run before its first change; without the policy the same run changes the host', async () => {
    const before = await state()
    const refused = await own.run([], { STRICT: '1', EDITION: 'one' })
    expect(refused.code, refused.text).to.equal(5)
    expect(refused.text)
      .to.match(
        /^error: web1: the policy "no restart of cron" does not allow handler restart cron\.service, notified by file \/etc\/default\/cron\n +at \S+playbook\.ts:8:5$/m,
      )
      .and.match(/^Refused by policies: nothing was changed\./m)
    expect(await state()).to.equal(before)
    const control = await own.run([], { EDITION: 'one' })
    expect(control.code, control.text).to.equal(0)
    expect(await state())
      .to.include('welcome\n# one\none\n')
      .and.not.equal(before)
  })

  it('let the run pass with a waiver, and refuse a plan without one', async () => {
    const planned = await own.run(['--check'], { STRICT: '1', EDITION: 'two' })
    expect(planned.code, planned.text).to.equal(5)
    const waived = await own.run([], { STRICT: '1', EDITION: 'two', WAIVED: '1' })
    expect(waived.code, waived.text).to.equal(0)
    expect(waived.text).to.include(
      'waived until 2126-12-24T23:59:59.999Z: no restart of cron: handler restart cron.service',
    )
    expect(await state()).to.include('# two\n')
  })

  it('keep a protected file until its protection is lifted', async () => {
    const env = { EDITION: 'two', PINNED: 'two\n' }
    const refused = await own.run([], env)
    expect(refused.code, refused.text).to.equal(5)
    expect(refused.text).to.include('web1: a run would change file /etc/pinned, which is protected: clients pin it')
    expect(await state()).to.include('\none\n')
    const lifted = await own.run([], { ...env, WAIVED: '1' })
    expect(lifted.code, lifted.text).to.equal(0)
    expect(await state()).to.include('\ntwo\n')
  })
})
