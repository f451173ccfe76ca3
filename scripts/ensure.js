// Installs the packages of the lock file where they are missing or older than it. Needs nothing but Node and npm.
import { spawnSync } from 'node:child_process'
import { existsSync, lstatSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

/**
 * @param {string} directory with a package-lock.json
 * @param {string} what for the message
 */
export function ensurePackages(directory, what) {
  const lock = `${directory}/package-lock.json`
  const installed = `${directory}/node_modules/.package-lock.json`
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs) return
  // `npm ci` would empty the folder that a link leads to, which is someone else's.
  if (lstatSync(`${directory}/node_modules`, { throwIfNoEntry: false })?.isSymbolicLink()) return
  console.log(`Installing ${what}…`)
  must('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], directory)
}

/**
 * Runs a program, and ends with its status where it fails.
 * @param {string} program
 * @param {readonly string[]} args
 * @param {string} [cwd]
 */
export function must(program, args, cwd = root) {
  const { status, error } = spawnSync(program, args, { cwd, stdio: 'inherit' })
  if (error) console.error(`${program} could not be started: ${error.message}`)
  if (status !== 0) process.exit(status ?? 1)
}

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`Node.js 20.19 or newer is needed; this is ${process.versions.node}.`)
  process.exit(64)
}
ensurePackages(root, 'the packages of this project')
