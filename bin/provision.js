#!/usr/bin/env node
// Read by every version of Node.js before anything is imported, so it is written in old syntax and imports nothing itself.
// test/cli/old-node.test.ts holds the version against package.json.
var parts = process.versions.node.split('.')
var major = Number(parts[0])
var minor = Number(parts[1])

if (major < 20 || (major === 20 && minor < 19)) {
  console.error(
    'error: provision needs Node.js 20.19 or newer, and this is ' +
      process.versions.node +
      '\n' +
      '   at ' +
      process.execPath +
      '\n' +
      '   Install a newer one (https://nodejs.org/en/download), or put one that you have first in PATH.',
  )
  process.exitCode = 64
} else {
  import('./start.js')
}
