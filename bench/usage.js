// Loaded before a program: records its peak memory in KiB, its processor time in seconds, and its peak of open files.
import { readdirSync, writeFileSync } from 'node:fs'

const file = process.env['BENCH_USAGE']
let files = 0
const count = () => {
  files = Math.max(files, readdirSync('/proc/self/fd').length)
}
if (file) setInterval(count, 100).unref()
process.on('exit', () => {
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage()
  if (file)
    writeFileSync(file, JSON.stringify({ memory: maxRSS, processor: (userCPUTime + systemCPUTime) / 1e6, files }))
})
