import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { look } from './proc-watch.ts'

/** The process of `watchHere`: reads the words from its input, and ends at the end of the input. */
const lines = createInterface({ input: process.stdin })
const [first] = await once(lines, 'line')
const words = JSON.parse(String(first)) as readonly string[]
const seen = new Set<string>()
let rounds = 0
const timer = setInterval(() => {
  for (const place of look(words)) seen.add(place)
  rounds++
}, 3)
await once(lines, 'close')
clearInterval(timer)
process.stdout.write(JSON.stringify({ seen: [...seen], rounds }))
