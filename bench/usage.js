// Loaded before a program: leaves behind how much memory it took at most, in KiB, and how many seconds of processor.
import { writeFileSync } from 'node:fs'

const file = process.env['BENCH_USAGE']
process.on('exit', () => {
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage()
  if (file)
    writeFileSync(file, JSON.stringify({ memory: maxRSS, processor: (userCPUTime + systemCPUTime) / 1e6 }))
})
