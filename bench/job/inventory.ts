import { readFileSync } from 'node:fs'
import { inventory } from 'provision-ts'
import { job } from './stack.ts'

/** The hosts that the benchmark has written down: `$BENCH_HOSTS`, a JSON file. */
export default () => {
  const file = process.env['BENCH_HOSTS'] ?? ''
  return inventory(job, { machines: { hosts: JSON.parse(readFileSync(file, 'utf8')) } })
}
