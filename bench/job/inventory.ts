import { readFileSync } from 'node:fs'
import { inventory } from 'provision-ts'
import { job } from './stack.ts'

/** The hosts of the benchmark, from the JSON file `$BENCH_HOSTS`. */
export default () => {
  const file = process.env['BENCH_HOSTS'] ?? ''
  return inventory(job, { machines: { hosts: JSON.parse(readFileSync(file, 'utf8')) } })
}
