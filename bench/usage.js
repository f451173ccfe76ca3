// Loaded before a program: records its peak memory in KiB and its processor time in seconds.
import { writeFileSync } from 'node:fs'

const file = process.env['BENCH_USAGE']
process.on('exit', () => {
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage()
  if (file) writeFileSync(file, JSON.stringify({ memory: maxRSS, processor: (userCPUTime + systemCPUTime) / 1e6 }))
})
