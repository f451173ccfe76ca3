// Builds the sample application where its sources are newer than what was built.
import { readdirSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { ensurePackages, must } from './ensure.js'

const directory = fileURLToPath(new URL('../examples/notes-api', import.meta.url))

/**
 * @param {string} path
 * @returns {number} when the newest file below it was changed; 0 for none
 */
function newest(path) {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (!stat?.isDirectory()) return stat?.mtimeMs ?? 0
  return Math.max(0, ...readdirSync(path).map((name) => newest(`${path}/${name}`)))
}

const sources = ['src', 'public', 'migrations', 'package-lock.json', 'build.mjs'].map((name) =>
  newest(`${directory}/${name}`),
)
if (newest(`${directory}/dist`) < Math.max(...sources)) {
  ensurePackages(directory, 'the packages of the sample application')
  must('npm', ['run', 'build', '--silent'], directory)
}
