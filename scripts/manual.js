// Writes man/provision.1 from the commands: `node --import tsx -C source scripts/manual.js`.
import { mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { programOf } from '../src/cli/main.ts'
import { manual } from '../src/cli/manual.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
mkdirSync(`${root}man`, { recursive: true })
writeFileSync(`${root}man/provision.1`, manual(programOf({ root, compiled: root })))
