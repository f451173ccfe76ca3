import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { execa } from 'execa'
import { cpuUsed, labGroup } from '../../src/lab/base/cgroups.ts'
import { readState } from '../../src/lab/base/state.ts'
import { downLab, type Lab, upLab } from '../../src/lab/index.ts'
import { freshLab, noHosts, provision } from './support.ts'

const LAB = 'test-lab-slow'
const PERCENT = 5
/** The kernel measures in ticks: a period may exceed the limit, and later periods compensate for it. */
const SLACK = 2

// The tests set the speed themselves.
before(() => {
  delete process.env['LAB_CPU']
})

describe('a slowed lab host', () => {
  let lab: Lab
  before(async function () {
    if (noHosts()) return this.skip()
    lab = await freshLab({ name: LAB, hosts: ['web1'] })
  })
  after(async () => {
    if (!noHosts()) await downLab(LAB)
  })

  /** Starts two busy loops in the background of the host. */
  const busy = async () => {
    const loop = "systemd-run --quiet --unit=busy$n sh -c 'while :; do :; done'"
    const { code, stderr } = await lab.exec('web1', `for n in 1 2; do ${loop} || exit; done`)
    expect(code, stderr).to.equal(0)
  }
  const idle = () => lab.exec('web1', 'systemctl stop busy1 busy2')
  /** The processor time that the host uses in an interval, and the upper bound that the limit implies. Milliseconds. */
  const use = async (percent = PERCENT) => {
    const group = labGroup(LAB, 'hosts', 'web1')
    const [used, began] = [cpuUsed(group), performance.now()]
    await sleep(2_000)
    const passed = performance.now() - began
    return { used: cpuUsed(group) - used, most: (passed * percent * SLACK) / 100 }
  }
  /** Waits until a loop without a limit exceeds the limit, however busy this machine is. */
  const exceedsTheLimit = async () => {
    for (;;) {
      const { used, most } = await use()
      if (used > most) return
    }
  }
  const faults = async () => (await lab.status()).flatMap((host) => host.faults)

  it('exceeds the limit while none is set, as a control', async () => {
    await busy()
    await exceedsTheLimit()
    expect(await faults()).to.deep.equal([])
  })

  it('uses no more than its percentage of a core, and status shows it', async () => {
    await lab.slow('web1', PERCENT)
    const { used, most } = await use()
    expect(used).to.be.above(0).and.at.most(most)
    expect(await faults()).to.deep.equal(['5 % of a core'])
  })

  it('is as fast as before after `fast`', async () => {
    await lab.fast('web1')
    await exceedsTheLimit()
    expect(await faults()).to.deep.equal([])
    await idle()
  })

  it('keeps its limit after a reset and after a reboot from inside', async () => {
    await lab.slow('web1', 40)
    await lab.reset('web1')
    expect(await faults()).to.deep.equal(['40 % of a core'])
    await busy()
    const afterReset = await use(40)
    expect(afterReset.used).to.be.at.most(afterReset.most)

    const since = async () => (await lab.status())[0]?.since
    const before = await since()
    await execa('ssh', ['-F', lab.sshConfig, 'web1', 'sudo systemctl reboot'], { reject: false })
    while ((await since()) === before || (await lab.status())[0]?.power !== 'running') await sleep(100)
    await busy()
    const { used, most } = await use(40)
    expect(used).to.be.at.most(most)
  })

  it('has no limit after `lab up`', async () => {
    lab = await upLab({ name: LAB })
    expect(await faults()).to.deep.equal([])
    await exceedsTheLimit()
    await idle()
  })

  it('is slowed and sped up by commands, which reject an invalid percentage', async () => {
    const command = (...words: readonly string[]) => provision(['lab', ...words, '--name', LAB])
    expect(await command('slow', 'web1', '7')).to.include({ code: 0, text: 'web1 gets 7 % of a core\n' })
    expect((await command('status')).text).to.match(/^web1 .* running, 7 % of a core /m)
    expect(await command('fast', 'web1')).to.include({ code: 0, text: 'web1 runs as fast as before\n' })
    expect(await faults()).to.deep.equal([])
    const refused = await command('slow', 'web1', '0')
    expect(refused.code).to.equal(64)
    expect(refused.text).to.include('Write a percentage of a core, at least 1: 5')
    const problem = await lab.slow('web1', 0.5).catch((error: unknown) => error)
    expect(problem).to.have.property('message', 'A host cannot have 0.5 % of a core.')
  })
})

describe('a lab with a CPU limit for all hosts', () => {
  before(function () {
    if (noHosts()) this.skip()
  })
  after(async () => {
    if (!noHosts()) await downLab(LAB)
  })
  const faults = async (lab: Lab) => (await lab.status()).map((host) => host.faults.join())

  it('boots with the limit, and keeps it when it is brought up again', async () => {
    const { code, text } = await provision([...['lab', 'up', '--name', LAB, '--hosts', 'web1', '--cpu', '20']])
    expect(code, text).to.equal(0)
    const lab = await upLab({ name: LAB })
    expect(await faults(lab)).to.deep.equal(['20 % of a core'])
    await lab.slow('web1', 10)
    expect(await faults(lab)).to.deep.equal(['10 % of a core'])
    expect(await faults(await upLab({ name: LAB }))).to.deep.equal(['20 % of a core'])
    expect(readState(LAB)?.cpuPercent).to.equal(20)
  })

  it('uses $LAB_CPU by default', async () => {
    await downLab(LAB)
    const { code, text } = await provision(['lab', 'up', '--name', LAB, '--hosts', 'web1'], { LAB_CPU: '30' })
    expect(code, text).to.equal(0)
    expect(await faults(await upLab({ name: LAB }))).to.deep.equal(['30 % of a core'])
    expect(await faults(await upLab({ name: LAB, cpuPercent: 50 }))).to.deep.equal(['50 % of a core'])
  })
})
