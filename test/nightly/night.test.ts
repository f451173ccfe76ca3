import { expect } from 'chai'
import type { Figure, Result } from '../support/results.ts'
import { compared } from './compare.ts'
import type { Done } from './done.ts'
import { junit } from './junit.ts'
import { keyOf, type Night, summary, wrong } from './summary.ts'

describe('a nightly run', () => {
  it('reports a figure as worse if all its runs are slower than before, on a machine of the same speed', () => {
    const figure = (median: number, floor?: number): Figure => ({
      ...{ name: 'a run', unit: 's', median, least: median * 0.9, most: median * 1.1, runs: 5 },
      ...(floor !== undefined && { floor }),
    })
    const worse = (now: Figure, before: Figure) => compared([now], [before]).map((one) => one.worse)
    expect(worse(figure(1.6), figure(1))).to.deep.equal([true])
    expect(worse(figure(1.2), figure(1))).to.deep.equal([false])
    expect(worse({ ...figure(1.6), least: 1.05 }, figure(1))).to.deep.equal([false])
    expect(worse(figure(0.5), figure(1))).to.deep.equal([false])
    expect(worse(figure(2, 2), figure(1, 1))).to.deep.equal([false])
    expect(worse(figure(2, 1), figure(1, 1))).to.deep.equal([true])
    expect(compared([figure(1)], [])).to.deep.equal([
      { figure: figure(1), before: undefined, ratio: undefined, worse: false },
    ])
  })

  const passed: Result = { suite: 'files', name: 'are written', outcome: 'passed', seconds: 1 }
  const failed: Result = {
    ...passed,
    outcome: 'failed',
    said: 'Error: no <space> & more\n  at \u001b[31mline\u0007 1',
  }
  const done = (...results: readonly Result[]): Done => ({
    ...{
      part: 'integration-13',
      about: 'tests',
      ended: 'well',
      seconds: 61,
      at: '',
      commit: 'abc',
      figures: [],
    },
    results,
  })
  const night = (results: readonly Result[], before?: readonly Result[]): Night => ({
    ...{ done: [done(...results)], figures: [] },
    before: before && new Map(before.map((one) => [keyOf('integration-13', one), one.outcome])),
  })

  it('lists the failures, the new ones first', () => {
    const other: Result = { ...failed, name: 'are removed' }
    expect(wrong(night([passed]))).to.deep.equal([])
    expect(wrong(night([other, failed], [{ ...other }, passed]))).to.deep.equal([
      'regressed: integration-13: files: are written: Error: no <space> & more',
      'integration-13: files: are removed: Error: no <space> & more',
    ])
    expect(summary(night([passed]))).to.match(/^# A good night\n/)
    expect(summary(night([failed])))
      .to.match(/^# 1 thing to look at\n\n- integration-13: files: are written/)
      .and.include('| 1 min 01 s |')
  })

  it('is written as valid XML for any output of tests', () => {
    const xml = junit([done(passed, failed, { ...passed, outcome: 'left out' })])
    expect(xml).to.include('<testsuite name="integration-13: files" tests="3" failures="1" errors="0" skipped="1">')
    expect(xml).to.include('message="Error: no &lt;space> &amp; more"')
    expect(xml).to.include('line\\x07 1').and.not.include('\u0007').and.not.include('\u001b')
  })
})
