// Loaded before a program: leaves behind how much memory it took at most, in KiB.
import { writeFileSync } from 'node:fs'

const file = process.env['BENCH_MEMORY']
if (file) process.on('exit', () => writeFileSync(file, String(process.resourceUsage().maxRSS)))
