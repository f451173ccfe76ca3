// The integration run: on hosts that it boots itself, where that can be done; says in one line where it cannot.
// Told folders or files. Each file runs on its own: what breaks in one is not carried into the next, and none is left out for it.
import './ensure.js'
import './example.js'
import { spawnSync } from 'node:child_process'
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
const failed = files.filter(
  (file) => spawnSync('npx', ['mocha', ...reporter, file], { cwd: root, stdio: 'inherit' }).status !== 0,
)
const passed = files.length - failed.length
console.log(
  `Integration: ${passed} of ${files.length} files passed${failed.length > 0 ? `; failed: ${failed.join(', ')}` : ''}.`,
)
process.exit(failed.length > 0 ? 1 : 0)
