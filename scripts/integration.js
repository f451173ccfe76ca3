// The integration run: on hosts that it boots itself, where that can be done; says in one line where it cannot.
// Told folders or files. Each file runs on its own: what breaks in one is not carried into the next, and none is left out for it.
import './ensure.js'
import './example.js'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const why =
  process.platform !== 'linux'
    ? 'this is not Linux'
    : process.getuid?.() !== 0
      ? 'that needs root'
      : undefined
if (why) {
  console.log(`Integration tests on real hosts: not run, ${why}.`)
  process.exit(0)
}

// Somebody may gather what becomes of each test.
const reporter = process.env['RESULTS'] ? ['--reporter', 'test/support/reporter.cjs'] : []
const files = process.argv.slice(2).flatMap((path) =>
  statSync(root + path).isDirectory()
    ? readdirSync(root + path)
        .filter((name) => name.endsWith('.test.ts'))
        .map((name) => `${path}/${name}`)
    : [path],
)
// Ctrl-C reaches the test that runs, which clears up; no other is begun after it.
let stopped = false
process.on('SIGINT', () => {
  stopped = true
})
/** @type {string[]} */
const failed = []
/** @type {string[]} */
const passed = []
for (const file of files) {
  if (stopped) break
  const well = await run(file)
  ;(well ? passed : failed).push(file)
}
console.log(
  [
    `Integration: ${passed.length} of ${files.length} files passed`,
    failed.length > 0 && `failed: ${failed.join(', ')}`,
    stopped && 'the rest was not run',
  ]
    .filter(Boolean)
    .join('; ') + '.',
)
process.exit(passed.length === files.length ? 0 : 1)

/**
 * @param {string} file
 * @returns {Promise<boolean>}
 */
async function run(file) {
  const child = spawn('npx', ['mocha', '--timeout', '30m', ...reporter, file], {
    cwd: root,
    stdio: 'inherit',
  })
  const [status] = await once(child, 'close')
  return status === 0
}
