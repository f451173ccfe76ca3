import { expect } from 'chai'
import { PEERS } from '../../bench/job/site.ts'
import { work } from '../../bench/job/work.ts'
import { downLab, type Lab } from '../../src/lab/index.ts'
import type { Steps } from '../../src/model/playbook/steps.ts'
import { file } from '../../src/resources/files/file.ts'
import { accounted } from '../support/accounting.ts'
import { familiesOf, thirtySteps } from '../support/thirty.ts'
import { onLab } from './lab-site.ts'
import { freshLab, noHosts } from './support.ts'

const LAB = 'test-processes'
const HOST = 'web1'

/** Counts the processes that a login starts on a host, by the process accounting of the kernel. Measures no times. */
describe('the processes that a run starts on a host', function () {
  this.slow('20s')
  let lab: Lab
  const { steps, remove } = thirtySteps()

  before(async function () {
    if (noHosts()) return this.skip()
    lab = await freshLab({ name: LAB, hosts: [HOST] })
  })
  after(async () => {
    remove()
    if (!noHosts()) await downLab(LAB)
  })

  /** The names of the started programs, after proof that the run changed something, or nothing. */
  const started = async (of: Steps, outcome: 'changed' | 'ok') => {
    const processes = await accounted(lab, [HOST], async () => {
      const { problems, summary } = await onLab(lab, of)
      expect(problems).to.deep.equal([])
      expect(summary.hosts[0]?.changed === 0 ? 'ok' : 'changed').to.equal(outcome)
    })
    return (processes.get(HOST) ?? []).map(({ program, forkOnly }) => (forkOnly ? `(${program})` : program))
  }

  it('are 35 at most for 30 unchanged steps of all kinds', async () => {
    await onLab(lab, steps)
    const programs = await started(steps, 'ok')
    const words = programs.sort().join(' ')
    expect(programs.length, words).to.be.at.least(10).and.at.most(35)
  })

  it('are 12 at most for 60 unchanged resources, with one for each batch of reads', async () => {
    const job = work({ peers: PEERS })
    await onLab(lab, job)
    const programs = await started(job, 'ok')
    expect(programs.length, programs.sort().join(' ')).to.be.at.most(12 + familiesOf(job))
  })

  it('are as many for 200 unchanged files as for one', async () => {
    const files = (count: number) => Array.from({ length: count }, (_, i) => file(`/srv/files/${i}`, `${i}\n`))
    await onLab(lab, files(200))
    const [one, many] = [await started(files(1), 'ok'), await started(files(200), 'ok')]
    expect(many.sort()).to.deep.equal(one.sort())
  })

  it('are 2 at most for each new file', async () => {
    const files = Array.from({ length: 20 }, (_, i) => file(`/srv/fresh/${i}`, `${i}\n`))
    const fresh = await started(files, 'changed')
    const again = await started(files, 'ok')
    // The directory, the round trip of the changes, and the last read.
    expect(fresh.length - again.length, fresh.sort().join(' ')).to.be.at.most(2 * 20 + 6)
  })
})
