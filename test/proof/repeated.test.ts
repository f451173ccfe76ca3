import { expect } from 'chai'
import { combined, median } from './repeated.ts'

describe('repetitions of a row of the proof', () => {
  const failure = { lane: 'new GET', begun: 1, ended: 2, outcome: 'failed: status 503' }

  it('have the medians of their times, and the sums of their counts', () => {
    const all = [
      { writeGap: 300, lost: 0, acknowledged: 10, asked: 20, failed: [failure], unknown: [] },
      { writeGap: 100, lost: 1, acknowledged: 20, asked: 30, failed: [], unknown: [] },
      { writeGap: 900, lost: 0, acknowledged: 30, asked: 40, failed: [failure], unknown: [] },
    ]
    expect(combined(all)).to.deep.equal({
      ...{ writeGap: 300, lost: 1, acknowledged: 60, asked: 90 },
      ...{ failed: [failure, failure], unknown: [] },
    })
  })

  it('pass an additional check only if each of them passes it', () => {
    const passed = { besides: { good: true, words: 'same primary' } }
    const other = { besides: { good: false, words: 'another primary' } }
    expect(combined([passed, passed]).besides).to.deep.equal(passed.besides)
    expect(combined([passed, other, passed]).besides).to.deep.equal({
      good: false,
      words: 'same primary; another primary',
    })
  })

  it('do not change the figures of a single one', () => {
    const one = { seconds: 2, failed: [failure] }
    expect(combined([one])).to.equal(one)
  })

  it('have a median between the two in the middle for an even number', () => {
    expect(median([4, 1, 3, 2])).to.equal(2.5)
    expect(median([5, 1, 3])).to.equal(3)
  })
})
