import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { readFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'

/**
 * @typedef {object} Bundle
 * @property {Readonly<Record<string, string>>} entries source files by the names of the output files
 * @property {string} outdir
 * @property {Readonly<Record<string, string>>} [alias] files by the names of packages: a source file is bundled, a compiled one is not
 */

/** The entries of our own package. Users import all but `cli`; they share chunks with the command line. */
export const SELF = {
  cli: 'src/cli/main.ts',
  index: 'src/index.ts',
  ansible: 'src/ansible/index.ts',
  lab: 'src/lab/index.ts',
  engine: 'src/api/index.ts',
  pki: 'src/pki/index.ts',
  testing: 'src/testing/index.ts',
}

/** The options of esbuild, for a run and for the published package. */
export const OPTIONS = /** @satisfies {import('esbuild').BuildOptions} */ ({
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  packages: 'external',
  conditions: ['source'],
  sourcemap: 'linked',
  chunkNames: 'chunk-[hash]',
})

/**
 * Bundles our own sources, unless they have not changed.
 * @param {string} root with a slash at its end
 * @returns {Promise<string>} the directory, with a slash at its end
 */
export async function bundleSelf(root) {
  const entries = Object.fromEntries(Object.entries(SELF).map(([name, path]) => [name, join(root, path)]))
  // Checkouts may share one node_modules through a link.
  const name = createHash('sha256').update(root).digest('hex').slice(0, 8)
  const outdir = join(root, `node_modules/.cache/provision/self-${name}/`)
  await bundle({ entries, outdir })
  return outdir
}

/**
 * Compiles TypeScript, unless no input has changed: comparing them takes microseconds, esbuild 50 ms.
 * @param {Bundle} what
 * @returns {Promise<{ readonly fresh: boolean, readonly inputs: readonly string[] }>} `fresh` is true if it compiled; `inputs` are all source files
 */
export async function bundle({ entries, outdir, alias = {} }) {
  const key = JSON.stringify([3, process.version, entries, alias])
  const before = readInputs(outdir)
  if (before?.key === key && before.inputs.every(([path, stamp]) => stampOf(path) === stamp)) {
    return { fresh: false, inputs: before.inputs.map(([path]) => path) }
  }
  const { build } = await import('esbuild')
  // Source maps have paths relative to the real directory of the bundle; node_modules may be a link.
  mkdirSync(outdir, { recursive: true })
  const real = realpathSync(outdir)
  const { metafile, outputFiles } = await build({
    ...OPTIONS,
    entryPoints: entries,
    outdir: real,
    sourcesContent: false,
    metafile: true,
    write: false,
    logLevel: 'silent',
    plugins: [aliases(alias), ownMeta],
  })
  // Chunks first: another process may import a new entry at once.
  for (const { path, contents } of outputFiles.sort((a, b) => rank(a.path) - rank(b.path))) replace(path, contents)
  sweep(real, new Set(outputFiles.map(({ path }) => path)))
  const inputs = Object.keys(metafile.inputs).map((path) => join(process.cwd(), path))
  writeInputs(outdir, { key, inputs: inputs.map((path) => [path, stampOf(path)]) })
  return { fresh: true, inputs }
}

/**
 * Keeps `import.meta` of each file in the bundle.
 * @type {import('esbuild').Plugin}
 */
const ownMeta = {
  name: 'own-meta',
  setup({ onLoad }) {
    onLoad({ filter: /\.[mc]?ts$/ }, async ({ path }) => {
      const text = await readFile(path, 'utf8')
      if (!text.includes('import.meta')) return { contents: text, loader: 'ts' }
      const meta = JSON.stringify({ url: pathToFileURL(path).href, filename: path, dirname: dirname(path) })
      return {
        contents: `const __meta = ${meta};${text.replace(/\bimport\.meta\b/g, '__meta')}`,
        loader: 'ts',
      }
    })
  },
}

/**
 * @param {Readonly<Record<string, string>>} alias
 * @returns {import('esbuild').Plugin}
 */
function aliases(alias) {
  return {
    name: 'aliases',
    setup({ onResolve }) {
      onResolve({ filter: /^provision-ts(\/|$)/ }, ({ path }) => {
        const to = alias[path]
        return to === undefined ? undefined : { path: to, external: !to.endsWith('.ts') }
      })
    },
  }
}

/** The time in which a process that started with older chunks may still load one of them, in ms. */
const MAX_AGE = 24 * 3_600_000

/**
 * Deletes chunks of earlier builds.
 * @param {string} outdir
 * @param {ReadonlySet<string>} current
 */
function sweep(outdir, current) {
  for (const name of readdirSync(outdir)) {
    const path = join(outdir, name)
    if (!/^chunk-\w+\.js(\.map)?$/.test(name) || current.has(path)) continue
    const { mtimeMs = Date.now() } = statSync(path, { throwIfNoEntry: false }) ?? {}
    if (Date.now() - mtimeMs > MAX_AGE) rmSync(path, { force: true })
  }
}

/**
 * @param {string} outdir
 * @returns {{ key: string, inputs: [string, string][] } | undefined}
 */
function readInputs(outdir) {
  const path = join(outdir, 'inputs.json')
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined
}

/**
 * Written last, when all files are complete.
 * @param {string} outdir
 * @param {{ key: string, inputs: [string, string][] }} what
 */
function writeInputs(outdir, what) {
  replace(join(outdir, 'inputs.json'), JSON.stringify(what))
}

/**
 * Replaces a file atomically: another process may be reading it.
 * @param {string} path
 * @param {string | Uint8Array} content
 */
function replace(path, content) {
  const at = `${path}.${process.pid}`
  writeFileSync(at, content)
  renameSync(at, path)
}

/** @param {string} path */
function rank(path) {
  return basename(path).startsWith('chunk-') ? 0 : 1
}

/**
 * @param {string} path
 * @returns {string}
 */
function stampOf(path) {
  const stat = statSync(path, { throwIfNoEntry: false })
  return stat ? `${stat.mtimeMs} ${stat.size}` : 'gone'
}
