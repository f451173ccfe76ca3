#!/usr/bin/env node
// In the repository the sources are bundled on the fly, once after each change; the published package holds them compiled.
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const compiled = existsSync(`${root}dist/cli.js`)
  ? `${root}dist/`
  : await (await import('./bundle.js')).bundleSelf(root)
const { main } = await import(`${compiled}cli.js`)
await main(process.argv.slice(2), { root, compiled })
