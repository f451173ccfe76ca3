import { expect } from 'chai'
import { type Ended, ownLab } from './support.ts'

const LAB = 'test-transports'

describe('the transports, on real hosts', function () {
  this.slow('10s')
  const own = ownLab(LAB, ['web1', 'web2'], () => ({ 'playbook.ts': PLAYBOOK, 'inventory.ts': INVENTORY }))

  const run = (...args: string[]): Promise<Ended> => own.run(['--output', 'json', ...args])
  const hostsOf = ({ text }: Ended) => {
    const end = text
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line))
      .find(({ kind }) => kind === 'end')
    return (end?.summary?.hosts ?? end?.hosts ?? []) as readonly { changed: number; trips: number }[]
  }

  for (const name of ['ssh2', 'openssh'])
    it(`converges over ${name}, and then takes two round trips per host`, async () => {
      const first = await run('--transport', name)
      expect(first.code, first.text).to.equal(0)
      expect(hostsOf(first).map(({ changed }) => changed)).to.deep.equal([2, 2])
      const found = await own.lab.exec('web1', 'cat /etc/motd.d/word; stat -c %a /etc/motd.d/word')
      expect(found.stdout).to.equal('hello over ssh600\n')
      const second = await run('--transport', name)
      expect(second.code, second.text).to.equal(0)
      expect(hostsOf(second).map(({ changed, trips }) => [changed, trips])).to.deep.equal([
        [0, 2],
        [0, 2],
      ])
      for (const host of ['web1', 'web2']) await own.lab.exec(host, 'rm -r /etc/motd.d')
    })

  it('kill a command after its timeout over openssh, without another login', async () => {
    await own.lab.exec('web1', 'touch /run/hang')
    const { code, text } = await run('--transport', 'openssh')
    expect(code, text).to.equal(1)
    expect(text).to.include('no end after 10.0 s, so it was killed')
    const { stdout } = await own.lab.exec('web1', 'rm /run/hang; pgrep -fc "sleep 4[4]4"')
    expect(stdout.trim()).to.equal('0')
  })

  it('report an unreachable host in bounded time over openssh, with the message of ssh', async () => {
    await own.lab.kill('web2')
    const { code, text } = await own.run(['--transport', 'openssh'], { OFF: 'web2' })
    await own.lab.start('web2')
    expect(code, text).to.equal(3)
    expect(text).to.include('web2').and.match(/ssh: /)
  })
})

const PLAYBOOK = `
import { command, file, hosts, play, playbook, role, sh } from 'provision-ts'
import { site } from './inventory.ts'
void hosts
const motd = role('motd', ({ word }: { readonly word: string }) => [
  file('/etc/motd.d/word', word, { mode: '0600' }),
  command('take a while', sh\`[ ! -e /run/hang ] || sleep 444; touch /etc/motd.d/done\`, { creates: '/etc/motd.d/done', timeout: '10s' }),
])
export default playbook(site, ({ web }) => [play('web', { hosts: web }, () => motd({ word: 'hello over ssh' }))])
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
