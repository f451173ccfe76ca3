import { expect } from 'chai'
import type { RunEvent } from '../../src/model/event.ts'
import { stepResults, Tally } from '../support/plan-and-run.ts'
import { differences, FOOTPRINT, LEFT, statesOf, surprises } from './kinds/footprint.ts'
import { bareSite, type RandomSite, randomSite } from './kinds/site.ts'
import { playsOnLab } from './lab-site.ts'
import { ownLab } from './support.ts'

/** The same seed in each test run, so that unrelated changes do not fail; a different one each night. */
const SEED = Number(process.env['SEED'] ?? 1)
const ROUNDS = Number(process.env['KINDS_ROUNDS'] ?? 6)

describe('every kind of step', function () {
  this.slow('120s')
  const own = ownLab('test-kinds', ['web1'], () => ({}))

  const exec = async (script: string) => {
    const { code, stdout, stderr } = await own.lab.exec('web1', script)
    if (code !== 0) throw new Error(`${script}: ${stdout}${stderr}`)
    return stdout
  }
  const footprint = async () => statesOf(await exec(FOOTPRINT))

  /** @returns all deviations from the expected state */
  const faultsOf = async ({ found, plays }: RandomSite, tally: Tally): Promise<readonly string[]> => {
    const faults: string[] = []
    const none = (about: string, all: readonly unknown[]) =>
      faults.push(...all.map((one) => `${about}: ${typeof one === 'string' ? one : JSON.stringify(one)}`))
    await exec(`{ ${found}\n} >/dev/null 2>&1; :`)
    const before = await footprint()
    const plan = await playsOnLab(own.lab, plays, 'plan')
    const planned = stepResults(plan.events)
    none('the plan', plan.problems)
    none('the plan changes the host', differences(before, await footprint()))

    const ran = await playsOnLab(own.lab, plays)
    const after = await footprint()
    none('the run', ran.problems)
    none('plan and run', tally.compare(planned, stepResults(ran.events)))
    none('plan and host', surprises(planned, { before, after }))

    const again = await playsOnLab(own.lab, plays)
    none('the second run', [...again.problems, ...notOk(again.events)])
    none('the second run changes the host', differences(after, await footprint()))
    const next = await playsOnLab(own.lab, plays, 'plan')
    none('the plan after the run', [...next.problems, ...notOk(next.events)])
    none('left over', (await exec(LEFT)).split('\n').filter(Boolean))
    return faults
  }

  it('changes on a bare host what the plan says', async () => {
    const tally = new Tally()
    expect((await faultsOf(bareSite(SEED), tally)).join('\n')).to.equal('')
    // Without these checks the expectation above would prove nothing.
    expect(tally.known, 'steps that are sure to change').to.be.greaterThan(5)
    expect(tally.known + tally.open, 'steps that change or may change').to.be.greaterThan(30)
  })

  it(`changes in a run what the plan says, over ${ROUNDS} random sites and states of a host (SEED=${SEED})`, async () => {
    const tally = new Tally()
    const faults: string[] = []
    for (let round = 0; round < ROUNDS; round++) {
      const found = await faultsOf(randomSite(SEED, round), tally)
      faults.push(...found.map((fault) => `SEED=${SEED}, round ${round}: ${fault}`))
    }
    expect(faults.join('\n')).to.equal('')
    // Without these checks the expectations above would prove nothing.
    expect(tally.known, 'steps that are sure to change').to.be.greaterThan(ROUNDS)
    expect(tally.ruledOut, 'steps that stay').to.be.greaterThan(ROUNDS)
    expect(tally.surprises, 'steps whose outcome only the run knew').to.be.greaterThan(0)
  })
})

function notOk(events: readonly RunEvent[]): readonly string[] {
  return stepResults(events).flatMap(({ name, outcome }) => (outcome === 'ok' ? [] : [`${name} is ${outcome}`]))
}
