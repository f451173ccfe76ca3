import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect } from 'chai'
import { type Ended, eventually, ownLab, provision, ROOT } from './support.ts'

const LAB = 'test-resume'

describe('a run that is resumed, on real hosts', function () {
  this.slow('10s')
  const own = ownLab(LAB, ['web1', 'web2', 'web3'], () => ({
    'inventory.ts': INVENTORY,
    'playbook.ts': PLAYBOOK,
  }))

  const here = (...words: string[]): Promise<Ended> =>
    provision([...words, '--no-type-check'], { LAB }, own.desk.directory)
  const run = (...words: string[]) => here('playbook.ts', '--inventory', 'inventory.ts', ...words)
  const done = async () =>
    Promise.all(
      ['web1', 'web2', 'web3'].map(async (host) =>
        (await own.lab.exec(host, 'cat /root/done 2>/dev/null')).stdout.trim(),
      ),
    )

  it('continues with a failed host and a host that was not started, with the same playbook parameters', async () => {
    await own.lab.exec('web2', 'touch /root/broken')
    const first = await run('--release', '1')
    expect(first.code, first.text).to.equal(1)
    expect(await done()).to.deep.equal(['1', '', ''])
    expect(first.text).to.include('To continue with web2, web3: provision resume.')
    const still = await here('resume')
    expect(still.code, still.text).to.equal(1)
    await own.lab.exec('web2', 'rm /root/broken')
    const second = await here('resume')
    expect(second.code, second.text).to.equal(0)
    expect(second.text).to.match(/2 of \d+ steps changed on 2 hosts/)
    expect(await done()).to.deep.equal(['1', '1', '1'])
    const third = await here('resume')
    expect(third.code).to.equal(64)
    expect(third.text).to.include('There is no unfinished run')
  })

  it('continues after a run that was killed', async () => {
    await own.lab.exec('web1', 'touch /root/slow')
    const words = ['playbook.ts', '--inventory', 'inventory.ts', '--release', '2', '--no-type-check']
    const running = spawn('node', [`${ROOT}/bin/provision.js`, ...words], {
      cwd: own.desk.directory,
      env: { ...process.env, LAB },
      stdio: 'ignore',
    })
    await eventually(async () => (await own.lab.exec('web1', '[ -e /root/begun ]')).code === 0)
    running.kill('SIGKILL')
    await once(running, 'close')
    await own.lab.exec('web1', 'rm /root/slow; flock /run/provision.lock true')
    expect(await done()).to.deep.equal(['2', '1', '1'])
    const resumed = await here('resume')
    expect(resumed.code, resumed.text).to.equal(0)
    expect(await done()).to.deep.equal(['2', '2', '2'])
  })
})

const PLAYBOOK = `
import { command, play, playbook, sh, text } from 'provision-ts'
import { site } from './inventory.ts'

export default playbook(
  site,
  ({ web }, { release }) => [
    play('web', { hosts: web, serial: 1 }, () => [
      command('release', sh\`[ ! -e /root/slow ] || { touch /root/begun; while [ -e /root/slow ]; do sleep 0.1; done; }; [ ! -e /root/broken ] && echo \${release} > /root/done\`, { unless: sh\`grep -qx \${release} /root/done\` }),
    ]),
  ],
  { flags: { release: text } },
)
`

const INVENTORY = `
import { hosts, inventory, inventorySchema } from 'provision-ts'
import { openLab } from 'provision-ts/lab'
export const site = inventorySchema({ web: hosts() })
const lab = openLab(process.env.LAB)
const at = (name: string) => ({ address: lab.host(name).address, ssh: lab.host(name).ssh })
export default inventory(site, { web: { hosts: { web1: at('web1'), web2: at('web2'), web3: at('web3') } } })
`
