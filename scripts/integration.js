// The integration run: on hosts that it boots itself, where that can be done; says in one line where it cannot.
// Told folders or files. Each file runs on its own: what breaks in one is not carried into the next, and none is left out for it.
import './ensure.js'
import './example.js'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs'
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
// The nightly run tells `--all`. By themselves these take minutes, even on a quick machine.
const NIGHTLY = ['lab-boot.test.ts', 'lab-snapshot.test.ts']
const words = process.argv.slice(2)
const all = words.includes('--all')
const files = words
  .filter((word) => word !== '--all')
  .flatMap((path) =>
    statSync(root + path).isDirectory()
      ? readdirSync(root + path)
          .filter((name) => name.endsWith('.test.ts') && (all || !NIGHTLY.includes(name)))
          .map((name) => `${path}/${name}`)
      : [path],
  )
// A provisioned site is made once in a run, by the first file that needs it, and deleted at the end: see test/integration/provisioned.ts.
const testRun = `run${process.pid}`
const snapshots = '/var/lib/provision/lab-snapshots'
// Ctrl-C reaches the test that runs, which clears up; no other is begun after it.
let stopped = false
process.on('SIGINT', () => {
  stopped = true
})
deleteSnapshots() // of a run that was killed
/** @type {string[]} */
const failed = []
/** @type {string[]} */
const passed = []
for (const file of files) {
  if (stopped) break
  const well = await run(file)
  ;(well ? passed : failed).push(file)
}
deleteSnapshots()
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

/** Those of this run, and of runs that are over. */
function deleteSnapshots() {
  for (const name of existsSync(snapshots) ? readdirSync(snapshots) : []) {
    const [, pid] = /^test-site-.*-run(\d+)(\.unfinished)?$/.exec(name) ?? []
    const isOver = pid !== undefined && (Number(pid) === process.pid || !existsSync(`/proc/${pid}`))
    if (isOver) rmSync(`${snapshots}/${name}`, { recursive: true })
  }
}

/**
 * @param {string} file
 * @returns {Promise<boolean>}
 */
async function run(file) {
  const began = performance.now()
  const child = spawn('npx', ['mocha', '--timeout', '30m', ...reporter, file], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, TEST_RUN: testRun },
  })
  const [status] = await once(child, 'close')
  console.log(`${file}: ${((performance.now() - began) / 1000).toFixed(0)} s`)
  return status === 0
}
