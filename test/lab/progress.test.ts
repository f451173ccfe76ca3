import { expect } from 'chai'
import { describeActivity, Progress, unitsDone } from '../../src/lab/hosts/progress.ts'

const SECOND = 1_000
const MINUTE = 60 * SECOND

describe('the progress of a host that boots', () => {
  /** The time and reason of the stall. @param sight the activity after a number of seconds */
  const outcome = (sight: (second: number) => { readonly units: number; readonly cpu: number }) => {
    const progress = new Progress(0, sight(0))
    for (let second = 1; second <= 3_600; second++) {
      const stalled = progress.stalled(second * SECOND, sight(second))
      if (stalled) return `${second} s: ${stalled}`
    }
    return 'waited for an hour'
  }

  it('continues as long as units start, however rarely', () => {
    expect(outcome((second) => ({ units: Math.floor(second / 90), cpu: 0 }))).to.equal('waited for an hour')
  })

  it('continues while a host at 1 % of a core works on one unit', () => {
    expect(outcome((second) => ({ units: 3, cpu: second * 10 }))).to.equal('waited for an hour')
  })

  it('has stalled after a longer idle time than systemd waits for a unit', () => {
    expect(outcome(() => ({ units: 3, cpu: 700 }))).to.equal('100 s: did nothing for 1 min 40 s')
  })

  it('has stalled if an idle host uses little CPU time', () => {
    expect(outcome((second) => ({ units: 3, cpu: second * 2 }))).to.equal('100 s: did nothing for 1 min 40 s')
  })

  it('has stalled if a busy host completes no unit', () => {
    expect(outcome((second) => ({ units: 3, cpu: second * SECOND }))).to.equal(
      '120 s: used 2 min 00 s of CPU time without a result',
    )
  })

  it('starts again if the host reboots meanwhile', () => {
    const sight = (second: number) => ({ units: 3, cpu: (second % 90) * 20 })
    expect(outcome(sight)).to.equal('waited for an hour')
    expect(new Progress(0, { units: 9, cpu: MINUTE }).stalled(SECOND, { units: 0, cpu: 10 })).to.equal(undefined)
  })

  it('is described in words', () => {
    expect(describeActivity({ units: 1, cpu: 320 }, 'started')).to.equal('1 unit started, 0.32 s of CPU time used')
    expect(describeActivity({ units: 12, cpu: 13_200 }, 'stopped')).to.equal(
      '12 units stopped, 13.2 s of CPU time used',
    )
  })

  it('is read from systemd console output', () => {
    const text = `--- switched on at 2026-11-30T06:30:58.174Z
[  OK  ] Reached target paths.target - Path Units.\r\r
         Starting systemd-sysctl.service - Apply Kernel Variables...\r\r
[FAILED] Failed to start broken.service.\r\r
[DEPEND] Dependency failed for after-broken.service.\r\r
[ ***  ] A start job is running for slow.service (5s / 1min 30s)`
    expect(unitsDone(text)).to.equal(3)
  })
})
