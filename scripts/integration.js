// The integration run: on hosts that it boots itself, where that can be done; says in one line where it cannot.
// Reported folders or files. Each file runs on its own: what breaks in one is not carried into the next, and none is left out for it.
import './ensure.js'
import './example.js'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const root = fileURLToPath(new URL('..', import.meta.url))
const why =
  process.platform !== 'linux' ? 'this is not Linux' : process.getuid?.() !== 0 ? 'that needs root' : undefined
if (why) {
  console.log(`Integration tests on real hosts: not run, ${why}.`)
  process.exit(0)
}

// Someone may gather what becomes of each test.
const reporter = process.env['RESULTS'] ? ['--reporter', 'test/support/reporter.cjs'] : []
// The nightly run passes `--all`, which is listed in docs/nightly.md. These files take minutes, or concern the lab or one kind of trouble alone.
const NIGHTLY = [
  'bad-input.test.ts',
  'from-ansible.test.ts',
  'full-disk.test.ts',
  'in-use.test.ts',
  'lab-boot.test.ts',
  'lab-slow.test.ts',
  'lab-snapshot.test.ts',
  'lab.test.ts',
  'node-red.test.ts',
  'odd-hosts.test.ts',
  'package-kinds.test.ts',
  'packages.test.ts',
  'python.test.ts',
  'reboot.test.ts',
  'operating-systems.test.ts',
  'system-kinds.test.ts',
]
// The longest ones start first.
const FIRST = ['stack', 'newcomer', 'lost', 'transactions', 'verify'].map((name) => `${name}.test.ts`)
// verify.test.ts uses the site that stack.test.ts has provisioned.
const AFTER = new Map([['verify.test.ts', 'stack.test.ts']])

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    all: { type: 'boolean', default: false },
    /** Files at a time. Hosts mostly wait, above all slow ones. */
    jobs: { type: 'string', default: '1' },
  },
})
const files = positionals.flatMap((path) =>
  statSync(root + path).isDirectory()
    ? readdirSync(root + path)
        .filter((name) => name.endsWith('.test.ts') && (values.all || !NIGHTLY.includes(name)))
        .sort((a, b) => rank(a) - rank(b))
        .map((name) => `${path}/${name}`)
    : [path],
)
// A provisioned site is made once in a run, by the first file that needs it, and deleted at the end: see test/integration/provisioned.ts.
const testRun = `run${process.pid}`
const snapshots = '/var/lib/provision/lab-snapshots'
// Ctrl-C reaches the tests that run, which clear up; no other is begun after it.
let stopped = false
process.on('SIGINT', () => {
  stopped = true
})
deleteSnapshots() // of a run that was killed
/** @type {string[]} */
const failed = []
/** @type {string[]} */
const passed = []
const waiting = [...files]
await Promise.all(
  Array.from({ length: Number(values.jobs) }, async () => {
    for (let file = next(); file !== undefined && !stopped; file = next())
      ((await run(file)) ? passed : failed).push(file)
  }),
)
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

/** @param {string} name */
function rank(name) {
  return FIRST.includes(name) ? FIRST.indexOf(name) : FIRST.length
}

/** The first that waits for no other; undefined when all others have begun. */
function next() {
  const begun = files.filter((path) => ![...waiting, ...passed, ...failed].includes(path))
  const isReady = (/** @type {string} */ path) => !begun.some((one) => basename(one) === AFTER.get(basename(path)))
  const at = waiting.findIndex(isReady)
  return at < 0 ? undefined : waiting.splice(at, 1)[0]
}

/** Those of this run, and of runs that are over. */
function deleteSnapshots() {
  for (const name of existsSync(snapshots) ? readdirSync(snapshots) : []) {
    const [, pid] = /^test-site-.*-run(\d+)(\.unfinished)?$/.exec(name) ?? []
    const isOver = pid !== undefined && (Number(pid) === process.pid || !existsSync(`/proc/${pid}`))
    if (isOver) rmSync(`${snapshots}/${name}`, { recursive: true })
  }
}

/**
 * Beside another file, its output is shown when it has ended.
 *
 * @param {string} file
 * @returns {Promise<boolean>}
 */
async function run(file) {
  const began = performance.now()
  const alone = values.jobs === '1'
  const child = spawn('npx', ['mocha', '--timeout', '30m', ...reporter, file], {
    cwd: root,
    stdio: ['inherit', alone ? 'inherit' : 'pipe', alone ? 'inherit' : 'pipe'],
    env: { ...process.env, TEST_RUN: testRun, ...(values.all && { NIGHTLY: '1' }) },
  })
  /** @type {Buffer[]} */
  const said = []
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (piece) => said.push(piece))
  const [status] = await once(child, 'close')
  process.stdout.write(Buffer.concat(said))
  console.log(`${file}: ${((performance.now() - began) / 1000).toFixed(0)} s`)
  return status === 0
}
