import { expect } from 'chai'
import { type Ended, eventually, NIGHTLY, ownLab } from './support.ts'

const LAB = 'test-lost'

describe('a host that is lost during a run', function () {
  this.slow('40s')
  const own = ownLab(LAB, ['web1', 'web2'], () => ({ 'playbook.ts': PLAYBOOK, 'inventory.ts': INVENTORY }))

  afterEach(async () => {
    for (const { name } of own.lab.hosts) {
      await own.lab.start(name)
      await own.lab.exec(name, 'rm -rf /etc/step-*')
    }
  })

  const run = (...args: string[]): Promise<Ended> => own.run(args)
  const holds = async (host: string, command: string) => (await own.lab.exec(host, command)).code === 0

  /** Returns the output of a run with this fault on web2 while the slow step runs there. */
  async function befallen(fault: () => Promise<unknown>, ...args: string[]): Promise<Ended> {
    await own.lab.exec('web2', 'touch /etc/step-slow')
    const running = run(...args)
    await eventually(() => holds('web2', '[ -e /etc/step-begun ]'))
    await fault()
    return running
  }

  async function reported({ code, text }: Ended): Promise<void> {
    expect(code, text).to.equal(3)
    expect(text)
      .to.match(/error: lost web2: /)
      .and.match(/1 host unreachable/)
      .and.not.match(/^\s+at .*\.ts:\d+:\d+\)$/m)
    expect(await holds('web1', '[ -e /etc/step-done ]'), 'the other host is done').to.equal(true)
  }

  /** Waits until the interrupted command has ended and released the lock, then runs again. */
  async function converges(): Promise<void> {
    await eventually(() => holds('web2', 'flock -n /run/provision.lock true'))
    const again = await run()
    expect(again.code, again.text).to.equal(0)
    expect(await holds('web2', '[ -e /etc/step-done ]')).to.equal(true)
    const third = await run('--check')
    expect(third.code, third.text).to.equal(0)
  }

  it('is reported in bounded time after a power loss, and converges once it is up', async () => {
    const ended = await befallen(() => own.lab.kill('web2'))
    await own.lab.start('web2')
    await reported(ended)
    await converges()
  })

  it('is reported in bounded time when it was frozen before the run', async () => {
    await own.lab.freeze('web2')
    const ended = await own.run([], { OFF: 'web2' })
    await own.lab.thaw('web2')
    expect(ended.code, ended.text).to.equal(3)
    expect(ended.text).to.include('web2 accepts the connection but sends no SSH greeting')
    expect(await holds('web1', '[ -e /etc/step-done ]')).to.equal(true)
    await converges()
  })

  // Each one waits for the keepalive timeout.
  if (!NIGHTLY) return

  for (const transport of ['ssh2', 'openssh'])
    it(`is reported in bounded time when it freezes, over ${transport}, and converges once it thaws`, async () => {
      const ended = await befallen(() => own.lab.freeze('web2'), '--transport', transport)
      await own.lab.thaw('web2')
      await reported(ended)
      await converges()
    })

  it('is reported in bounded time if its network is disconnected, and converges once it is connected', async () => {
    const ended = await befallen(() => own.lab.cut('web2'))
    await own.lab.uncut('web2')
    await reported(ended)
    await converges()
  })

  it('is reported in bounded time when it reboots, and converges once it is up', async () => {
    const up = async () => (await own.lab.status()).find(({ name }) => name === 'web2')
    const before = await up()
    await reported(await befallen(() => own.lab.exec('web2', 'systemctl --no-block reboot')))
    // Does not execute commands in the host: a new process in a host that shuts down would delay it.
    await eventually(async () => {
      const now = await up()
      return now?.power === 'running' && now.since !== before?.since
    })
    await converges()
  })
})

const PLAYBOOK = `
import { command, play, playbook, role, sh } from 'provision-ts'
import { site } from './inventory.ts'
const work = role('work', (_: object) => [
  command('work', sh\`touch /etc/step-begun; [ ! -e /etc/step-slow ] || sleep 8; touch /etc/step-done\`, { creates: '/etc/step-done' }),
])
export default playbook(site, ({ web }) => [play('web', { hosts: web }, () => work({}))])
`

const INVENTORY = `
import { hosts, inventory, inventorySchema } from 'provision-ts'
import { openLab } from 'provision-ts/lab'
export const site = inventorySchema({ web: hosts({}) })
const lab = openLab(process.env.LAB)
// A short limit for a host that is known to be off.
const limits = (name: string) => (name === process.env.OFF ? { timeouts: { login: '2s' as const } } : {})
const at = (name: string) => ({ address: lab.host(name).address, ssh: lab.host(name).ssh, ...limits(name) })
export default inventory(site, { web: { hosts: { web1: at('web1'), web2: at('web2') } } })
`
