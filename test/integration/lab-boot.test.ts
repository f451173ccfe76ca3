import { expect } from 'chai'
import { downLab, type Lab } from '../../src/lab/index.ts'
import { Problem } from '../../src/model/problem.ts'
import { freshLab, noHosts } from './support.ts'

const LAB = 'test-lab-boot'
const WAITING = /^waiting for web1: (\d+) units started, .* of CPU time used$/

describe('a host that boots', () => {
  let lab: Lab
  const said: string[] = []
  before(async function () {
    if (noHosts()) return this.skip()
    lab = await freshLab({ name: LAB, hosts: ['web1'], cpuPercent: 1, log: (line) => said.push(line) })
  })
  after(async () => {
    if (!noHosts()) await downLab(LAB)
  })

  it('completes at 1 % of a core, and `lab up` shows its progress', () => {
    const units = said.flatMap((line) => WAITING.exec(line)?.[1] ?? []).map(Number)
    expect(units.length, said.join('\n')).to.be.above(1)
    expect(units).to.deep.equal([...units].sort((a, b) => a - b))
    expect(said.at(-1)).to.match(/^web1 answers \(/)
  })

  it('powers itself off at 1 % of a core', async () => {
    await lab.poweroff('web1')
    expect((await lab.status())[0]?.power).to.equal('off')
    await lab.start('web1')
    expect((await lab.status())[0]?.power).to.equal('running')
  })

  it('is reported with its last output lines if it makes no progress', async () => {
    await lab.fast('web1')
    const { code, stderr } = await lab.exec('web1', 'systemctl mask ssh.service ssh.socket')
    expect(code, stderr).to.equal(0)
    const problem = await lab.reset('web1').catch((error: unknown) => error)
    if (!(problem instanceof Problem)) throw new Error(`it was not reported: ${problem}`)
    expect(problem.message).to.match(
      /^"web1" did nothing for 1 min \d\d s, and its sshd does not answer: \d+ units started, \S+ s of CPU time used\.$/,
    )
    expect(problem.details.join('\n')).to.include('Reached target')
    expect(problem.next).to.include('To try again: provision lab reset web1')
  })
})
