import { expect } from 'chai'
import { type Duration, elapsed, milliseconds } from '../../src/shell/duration.ts'

describe('a duration', () => {
  it('is a number of milliseconds, or a number with a unit', () => {
    expect([0, 1500, '500ms', '30s', '1.5m', '2h'].map((d) => milliseconds(d as Duration))).to.deep.equal([
      0, 1500, 500, 30_000, 90_000, 7_200_000,
    ])
  })

  it('is rejected if it is invalid, with examples', () => {
    for (const wrong of ['30', '-1s', '1e3ms', 's', '5 m', -1, Number.NaN, Number.POSITIVE_INFINITY])
      expect(() => milliseconds(wrong as Duration), String(wrong)).to.throw(TypeError, /500ms, 30s, 5m, 1h/)
  })

  it('is shown with three digits or in minutes', () => {
    expect([0, 420, 12_345, 125_000, 3_600_000].map(elapsed)).to.deep.equal([
      '0.00 s',
      '0.42 s',
      '12.3 s',
      '2 min 05 s',
      '60 min 00 s',
    ])
  })
})
