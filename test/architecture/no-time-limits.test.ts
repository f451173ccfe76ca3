import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { ROOT, typescript } from './files.ts'

/** Programs whose subject is time: they report figures and hold them against limits. No test does. */
const MEASURE = /^test\/(proof|slow|soak|nightly|vagrant)\//

// Machines differ by a factor of ten in how fast they start processes.
describe('no test depends on the speed of the machine', () => {
  const sources = typescript('test')
    .filter((path) => !MEASURE.test(path) && !path.startsWith('test/architecture/'))
    .map((path) => ({ path, text: readFileSync(join(ROOT, path), 'utf8') }))

  it('no suite has a time limit of its own: .mocharc.json has one that only ends what hangs', () => {
    expect(found(sources, /\bthis\.timeout\(/)).to.deep.equal([])
  })

  it('no assertion bounds elapsed time from above: npm run bench and npm run proof measure it', () => {
    expect(found(sources, UPPER_BOUND)).to.deep.equal([])
  })

  it('finds such lines where there are some', () => {
    const bad = [
      "this.timeout('5s')",
      'expect(performance.now() - began).to.be.below(500)',
      'expect((Date.now() - start) / 10).to.be.at.most(20)',
      'expect(ms).to.be.below(20_000)',
    ].map((text) => ({ path: 'a.test.ts', text }))
    expect(found(bad, /\bthis\.timeout\(/)).to.have.length(1)
    expect(found(bad, UPPER_BOUND)).to.have.length(3)
  })
})

const UPPER_BOUND =
  /(?:performance|Date)\.now\(\) - \w+.*\.(?:below|lessThan|most|within)\(|expect\(\w*(?:ms|Ms|seconds|elapsed|took)\b[^)]*\)\.to\.be\.(?:below|lessThan|at\.most|within)\(/

interface Source {
  readonly path: string
  readonly text: string
}

function found(sources: readonly Source[], pattern: RegExp): readonly string[] {
  return sources.flatMap(({ path, text }) =>
    text.split('\n').flatMap((line, i) => (pattern.test(line) ? [`${path}:${i + 1}: ${line.trim()}`] : [])),
  )
}
