#!/usr/bin/env node
// Old syntax and no imports: any version of Node.js must be able to run the check below.
// test/cli/old-node.test.ts compares the version with package.json.
var parts = process.versions.node.split('.')
var major = Number(parts[0])
var minor = Number(parts[1])

if (major < 20 || (major === 20 && minor < 19)) {
  console.error(
    'error: provision requires Node.js 20.19 or later; this is ' +
      process.versions.node +
      '\n' +
      '   at ' +
      process.execPath +
      '\n' +
      '   Install a later version (https://nodejs.org/en/download), or put one first in PATH.',
  )
  process.exitCode = 64
} else {
  import('./start.js')
}
