import { expect } from 'chai'
import { type Ended, eventually, ownLab } from './support.ts'

const LAB = 'test-reboot'

describe('a reboot during a run, on real hosts', function () {
  this.slow('20s')
  const own = ownLab(LAB, ['web1', 'web2'], () => ({ 'inventory.ts': INVENTORY, 'playbook.ts': PLAYBOOK }))

  const run = (what: string, ...args: string[]): Promise<Ended> => own.run(args, { WHAT: what })
  const said = async (host: string, command: string) => (await own.lab.exec(host, command)).stdout.trim()
  const boots = () => Promise.all(['web1', 'web2'].map((host) => said(host, 'cat /proc/sys/kernel/random/boot_id')))

  for (const transport of ['ssh2', 'openssh'])
    it(`is awaited, host by host, and the run continues, over ${transport}`, async () => {
      await Promise.all(['web1', 'web2'].map((host) => own.lab.exec(host, 'rm -f /etc/before /root/log')))
      const before = await boots()
      const { code, text } = await run('reboot', '--transport', transport)
      expect(code, text).to.equal(0)
      const after = await boots()
      expect(after[0]).to.not.equal(before[0])
      expect(after[1]).to.not.equal(before[1])
      const [first, second] = [await said('web1', 'cat /root/log'), await said('web2', 'cat /root/log')]
      // The pending handler of web1 runs after its boot; its drain, on web2, is opened once and closed after that.
      expect(first).to.match(new RegExp(`^after ${after[0]}\npending ${after[0]}\nweb2 out\nweb2 back$`))
      expect(second).to.match(new RegExp(`^web1 out\nweb1 back\nafter ${after[1]}\npending ${after[1]}$`))
      expect(text).to.include('waiting for web1 to be back from a reboot')
      expect(await said('web1', 'ls -A /var/lib/provision/pending-handlers /var/lib/provision/drains')).to.not.match(
        /^web|log/m,
      )
    })

  it('is requested by a file, a query or a handler, and done once', async () => {
    const [before] = await boots()
    const reasons = 'printf "%s\\n" linux-image libc6 libc6 | tee /run/reboot-required.pkgs > /run/reboot-required'
    await own.lab.exec('web1', `${reasons}; cat /proc/sys/kernel/random/boot_id > /root/pending`)
    const planned = await run('required', '--limit', 'web1', '--check')
    expect(planned.code, planned.text).to.equal(2)
    expect(planned.text).to.include('~ reboot when required: reboot for libc6, for linux-image')
    const done = await run('required', '--limit', 'web1')
    expect(done.code, done.text).to.equal(0)
    // The second query is repeated after the first reboot, which changed its answer.
    expect(done.text)
      .to.include('2 steps changed')
      .and.match(/✓ reboot\n/)
    const [once] = await boots()
    expect(once).to.not.equal(before)
    const again = await run('required', '--limit', 'web1')
    expect(again.text).to.include('No changes')
    expect((await boots())[0]).to.equal(once)
  })

  it('that does not happen fails the step, and the host keeps its lock', async () => {
    const { code, text } = await run('none', '--limit', 'web1')
    expect(code, text).to.equal(1)
    expect(text).to.match(/error: web1 was reported to reboot and still runs 2\.00 s later/)
    expect(await said('web1', 'flock -n /run/provision.lock echo free')).to.equal('free')
  })

  it('from which the host does not return is reported in bounded time, and its drain stays open', async () => {
    const { code, text } = await run('off', '--limit', 'web1')
    expect(code, text).to.equal(3)
    expect(text).to.match(/error: lost web1: it did not come back within 6\.00 s of its reboot/)
    expect(text).to.include('web1 was lost in its turn and stays drained (out of service)')
    await own.lab.start('web1')
    const next = await run('reboot', '--limit', 'web1', '--check')
    expect(next.code, next.text).to.equal(2)
    await eventually(async () => (await said('web1', 'true; echo up')) === 'up')
    const repaired = await run('reboot', '--limit', 'web1')
    expect(repaired.code, repaired.text).to.equal(0)
    expect(repaired.text).to.include('undrain: out of service (pending since an earlier run)')
  })
})

const PLAYBOOK = `
import { drain, command, file, handler, runOn, play, playbook, reboot, rebooted, sh } from 'provision-ts'
import { site } from './inventory.ts'

const log = (what: string) => sh\`echo \${what} >> /root/log\`
const boot = (what: string) => sh\`echo \${what} "$(cat /proc/sys/kernel/random/boot_id)" >> /root/log\`
const what = {
  reboot: () => [
    file('/etc/before', 'x', { notify: handler('pending', boot('pending')) }),
    reboot({ always: true, within: '10m' }),
    command('after', boot('after'), { unless: sh\`grep -qx "after $(cat /proc/sys/kernel/random/boot_id)" /root/log\` }),
  ],
  required: () => [
    reboot({ within: '10m' }),
    reboot({ when: sh\`grep -qx "$(cat /proc/sys/kernel/random/boot_id)" /root/pending\`, within: '10m' }),
    file('/etc/needs-a-boot', 'x', { notify: rebooted({ within: '10m' }) }),
  ],
  none: () => [command('no reboot', sh\`true\`, { creates: '/nonexistent', reboots: '2s' })],
  off: () => [command('power off', sh\`systemctl poweroff\`, { creates: '/nonexistent', reboots: '6s' })],
}

export default playbook(site, ({ web }) => [
  play(
    'web',
    {
      hosts: web,
      serial: 1,
      drain: drain('out of service', {
        drain: (host) => [runOn(web.only((one) => one.name !== host.name), log(\`\${host.name} out\`))],
        undrain: (host) => [runOn(web.only((one) => one.name !== host.name), log(\`\${host.name} back\`))],
      }),
    },
    () => what[process.env.WHAT as keyof typeof what](),
  ),
])
`

const INVENTORY = `
import { hosts, inventory, inventorySchema } from 'provision-ts'
import { openLab } from 'provision-ts/lab'
export const site = inventorySchema({ web: hosts() })
const lab = openLab(process.env.LAB)
const at = (name: string) => ({ address: lab.host(name).address, ssh: lab.host(name).ssh })
export default inventory(site, { web: { hosts: { web1: at('web1'), web2: at('web2') } } })
`
