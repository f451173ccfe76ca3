// Mocha's own report, and each test as a result for who gathers them. CommonJS: mocha loads reporters by require.
const { reporters } = require('mocha')

module.exports = class Recording extends reporters.Spec {
  /**
   * @param {import('mocha').Runner} runner
   * @param {import('mocha').MochaOptions} options
   */
  constructor(runner, options) {
    super(runner, options)
    const { record } = require('./results.ts')
    /** @param {import('mocha').Runnable} one */
    const about = (one) => ({
      suite: one.parent?.fullTitle() ?? '',
      name: one.title,
      seconds: (one.duration ?? 0) / 1000,
    })
    runner
      .on('pass', (test) => record({ ...about(test), outcome: 'passed' }))
      .on('pending', (test) => record({ ...about(test), outcome: 'left out' }))
      .on('fail', (test, error) => record({ ...about(test), outcome: 'failed', said: String(error.stack ?? error) }))
  }
}
