import { expect } from 'chai'
import { downLab, type Lab } from '../../src/lab/index.ts'
import { restarted } from '../../src/model/resource/handler.ts'
import type { Step } from '../../src/model/resource/step.ts'
import { service } from '../../src/resources/systemd/service.ts'
import { dropIn, unit } from '../../src/resources/systemd/unit.ts'
import { transaction } from '../../src/resources/transaction/transaction.ts'
import { onLab } from './lab-site.ts'
import { freshLab, noHosts } from './support.ts'

const LAB = 'engine-units'

/** A service that writes its version at its start, which shows the definition that was active. */
describe('a changed unit on a real host', function () {
  this.slow('20s')
  let lab: Lab

  before(async function () {
    if (noHosts()) return this.skip()
    lab = await freshLab({ name: LAB, hosts: ['web1'] })
  })
  after(async () => {
    if (!noHosts()) await downLab(LAB)
  })

  const on = async (command: string) => (await lab.exec('web1', command)).stdout.trim()
  const text = (name: string, version: string) =>
    `[Service]\nExecStart=/bin/sh -c 'echo ${version} >> /root/${name}.log; exec sleep infinity'\n[Install]\nWantedBy=multi-user.target\n`
  const state = (name: string) =>
    on(`sleep 0.5; tr '\\n' ' ' < /root/${name}.log; systemctl show -p NeedDaemonReload --value ${name}`)
  const ran = async (...steps: readonly Step[]) => {
    const { events, summary } = await onLab(lab, steps)
    const problems = events.flatMap((event) => (event.kind === 'failed' ? [event.problem.message] : []))
    expect(problems).to.deep.equal([])
    return summary.hosts[0]?.changed
  }

  it('in a transaction is loaded by systemd before the service starts', async () => {
    const site = (version: string) =>
      transaction('svc', [unit('tx.service', text('tx', version))], { activate: restarted('tx') })
    await ran(site('v1'))
    expect(await ran(site('v2'))).to.equal(1)
    expect(await state('tx')).to.equal('v1 v2 no')
    expect(await ran(site('v2'))).to.equal(0)
  })

  it('written by a killed run is loaded by systemd, and the service restarted, in the next run', async () => {
    const site = (version: string) => [
      unit('ow.service', text('ow', version), { notify: restarted('ow') }),
      service('ow'),
    ]
    await ran(...site('v1'))
    // The state after a run that was killed between the write and the reload.
    await on(`cat > /etc/systemd/system/ow.service <<'END'\n${text('ow', 'v2')}END`)
    expect(await on('systemctl show -p NeedDaemonReload --value ow')).to.equal('yes')
    expect(await ran(...site('v2'))).to.equal(1)
    expect(await state('ow')).to.match(/^(v1 )+v2 no$/)
    expect(await ran(...site('v2'))).to.equal(0)
  })

  it('with a drop-in written by a killed run is loaded by systemd, too', async () => {
    const site = [dropIn('ow.service', 'limits', '[Service]\nLimitNOFILE=4000\n', { notify: restarted('ow') })] as const
    await on(
      `mkdir -p /etc/systemd/system/ow.service.d; printf '[Service]\\nLimitNOFILE=4000\\n' > /etc/systemd/system/ow.service.d/limits.conf`,
    )
    expect(await ran(...site)).to.equal(1)
    expect(await on('systemctl show -p LimitNOFILE,NeedDaemonReload --value ow | tr "\\n" " "')).to.equal('4000 no')
    expect(await ran(...site)).to.equal(0)
  })

  it('is loaded by systemd before a pending restart', async () => {
    const site = (version: string) => unit('ow.service', text('ow', version), { notify: restarted('ow') })
    await on(
      `cat > /etc/systemd/system/ow.service <<'END'\n${text('ow', 'v3')}END\nmkdir -p /var/lib/provision/pending-handlers; touch '/var/lib/provision/pending-handlers/restart%20ow'`,
    )
    await ran(site('v3'))
    expect(await state('ow')).to.match(/ v3 no$/)
  })
})
