// Makes `dist`, which is what the published package runs from: our sources bundled, the roles file by file, types for all of it.
import { execFileSync } from 'node:child_process'
import { cpSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { OPTIONS, SELF } from '../bin/bundle.js'
import { page } from '../bin/page.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const dist = join(root, 'dist')

rmSync(dist, { recursive: true, force: true })
execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json'], {
  cwd: root,
  stdio: 'inherit',
})
// Of our own sources only the types are wanted of the compiler: bundled, they start in half the time.
for (const path of below(join(dist, 'src'))) if (!path.endsWith('.d.ts')) rmSync(path)
await build({
  ...OPTIONS,
  absWorkingDir: root,
  entryPoints: SELF,
  outdir: join(dist, 'src'),
  sourcesContent: false,
  logLevel: 'warning',
})
writeFileSync(join(dist, 'src/report.html'), await page(root))
for (const path of below(join(root, 'roles')))
  if (path.includes('/templates/')) cpSync(path, join(dist, path.slice(root.length)))

/** @param {string} directory */
function below(directory) {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
}
