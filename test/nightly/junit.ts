import { createRequire } from 'node:module'
import type { Builder } from 'junit-report-builder'
import { printable } from '../../src/shell/printable.ts'
import type { Done } from './done.ts'

// Its types declare an ES module, but it is CommonJS.
const builder: Builder = createRequire(import.meta.url)('junit-report-builder')

/** Returns all results as JUnit XML, with a suite for each suite of each part. */
export function junit(all: readonly Done[]): string {
  const xml = builder.newBuilder()
  for (const { part, results } of all)
    for (const suite of new Set(results.map((one) => one.suite))) {
      const made = xml.testSuite().name(`${part}: ${suite}`)
      for (const { name, outcome, seconds, said } of results.filter((one) => one.suite === suite)) {
        const test = made.testCase().className(part).name(name).time(seconds)
        if (outcome === 'failed')
          test.failure(printable(said?.split('\n')[0] ?? ''), 'failed').stacktrace(printable(said ?? ''))
        if (outcome === 'left out') test.skipped()
        if (outcome === 'passed' && said) test.standardOutput(printable(said ?? ''))
      }
    }
  return xml.build()
}
