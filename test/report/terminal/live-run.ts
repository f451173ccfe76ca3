// Shows a run of many hosts in the current terminal, and prints the time that it took.

import { paintFor } from '../../../src/report/problem.ts'
import { liveReporter } from '../../../src/report/terminal/live.ts'
import { host, step, summary } from './script.ts'

const [count = 8, rounds = 20] = process.argv.slice(2).map(Number)
/** Drawings before the run ends. */
const LEAST_DRAWINGS = 3
const hosts = Array.from({ length: count }, (_, i) => `web${i + 1}`)
const reporter = liveReporter({
  write: (line) => process.stdout.write(`${line}\n`),
  paint: paintFor(process.stdout),
})
let drawings = 0
const { write } = process.stdout
process.stdout.write = (chunk: string | Uint8Array, ...rest: never[]) => {
  drawings += String(chunk).split('\x1b[G').length - 1
  return write.call(process.stdout, chunk, ...rest)
}
const began = performance.now()
reporter.emit({ kind: 'begin', mode: 'apply', hosts, plays: ['web', 'balancers'] })
for (const name of hosts) reporter.emit({ kind: 'refreshed', host: name, steps: rounds, differing: 1 })
reporter.emit({ kind: 'play', play: 'web', hosts })
// On a slow machine more rounds are needed until the rows were drawn a few times.
for (let n = 0; n < rounds || drawings < LEAST_DRAWINGS; n++) {
  for (const name of hosts)
    reporter.emit({
      kind: 'step',
      play: 'web',
      host: name,
      step: step('file', `/etc/part${n}`),
      outcome: 'ok',
    })
  await new Promise((resolve) => setTimeout(resolve, 20))
}
for (const name of hosts)
  reporter.emit({ kind: 'turnEnd', play: 'web', host: name, changed: 1, failed: name === 'web3' })
reporter.emit({ kind: 'end', summary: summary(hosts.map((name) => host({ host: name, ok: rounds }))) })
await reporter.done()
console.log(`took ${Math.round(performance.now() - began)} ms`)
