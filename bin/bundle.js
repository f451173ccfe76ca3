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
 * @property {Readonly<Record<string, string>>} entries names of the files to make, and their sources
 * @property {string} outdir
 * @property {Readonly<Record<string, string>>} [alias] packages that stand for files which are compiled already
 */

/** The entries of our own package. All but `cli` are what users import, from the same chunks as the command line. */
export const SELF = {
  cli: 'src/cli/main.ts',
  index: 'src/index.ts',
  ansible: 'src/ansible/index.ts',
  lab: 'src/lab/index.ts',
  pki: 'src/pki/index.ts',
  testing: 'src/testing/index.ts',
}

/** What esbuild makes of TypeScript here, for a run as for the published package. */
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
 * Bundles our own sources, unless they are as they were.
 * @param {string} root with a slash at its end
 * @returns {Promise<string>} the directory, with a slash at its end
 */
export async function bundleSelf(root) {
  const entries = Object.fromEntries(Object.entries(SELF).map(([name, path]) => [name, join(root, path)]))
  // Checkouts that share one node_modules by a link must not overwrite one another's bundle.
  const name = createHash('sha256').update(root).digest('hex').slice(0, 8)
  const outdir = join(root, `node_modules/.cache/provision/self-${name}/`)
  await bundle({ entries, outdir })
  return outdir
}

/**
 * Makes JavaScript of TypeScript, unless all inputs are as they were: a look at each costs microseconds, esbuild 50 ms.
 * @param {Bundle} what
 * @returns {Promise<{ readonly fresh: boolean, readonly inputs: readonly string[] }>} whether anything was made, and from what
 */
export async function bundle({ entries, outdir, alias = {} }) {
  const key = JSON.stringify([3, process.version, entries, alias])
  const before = remembered(outdir)
  if (before?.key === key && before.inputs.every(([path, stamp]) => stampOf(path) === stamp)) {
    return { fresh: false, inputs: before.inputs.map(([path]) => path) }
  }
  const { build } = await import('esbuild')
  // Source maps name their sources from the real place of the bundle, which a linked node_modules hides.
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
  // The chunks first: what a new entry asks for is there.
  for (const { path, contents } of outputFiles.sort((a, b) => rank(a.path) - rank(b.path)))
    put(path, contents)
  sweep(real, new Set(outputFiles.map(({ path }) => path)))
  const inputs = Object.keys(metafile.inputs).map((path) => join(process.cwd(), path))
  remember(outdir, { key, inputs: inputs.map((path) => [path, stampOf(path)]) })
  return { fresh: true, inputs }
}

/**
 * Each file keeps an `import.meta` of its own, although many end up in one.
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
        return to === undefined ? undefined : { path: to, external: true }
      })
    },
  }
}

/** For so long a process that was started with older chunks may still load one of them, in milliseconds. */
const LOADED_LATE = 24 * 3_600_000

/**
 * Removes the chunks that earlier builds have left.
 * @param {string} outdir
 * @param {ReadonlySet<string>} current
 */
function sweep(outdir, current) {
  for (const name of readdirSync(outdir)) {
    const path = join(outdir, name)
    if (!/^chunk-\w+\.js(\.map)?$/.test(name) || current.has(path)) continue
    const { mtimeMs = Date.now() } = statSync(path, { throwIfNoEntry: false }) ?? {}
    if (Date.now() - mtimeMs > LOADED_LATE) rmSync(path, { force: true })
  }
}

/**
 * @param {string} outdir
 * @returns {{ key: string, inputs: [string, string][] } | undefined}
 */
function remembered(outdir) {
  const path = join(outdir, 'inputs.json')
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined
}

/**
 * Written last: what it vouches for is complete.
 * @param {string} outdir
 * @param {{ key: string, inputs: [string, string][] }} what
 */
function remember(outdir, what) {
  put(join(outdir, 'inputs.json'), JSON.stringify(what))
}

/**
 * A file in one move: another process may be reading the one that is there.
 * @param {string} path
 * @param {string | Uint8Array} content
 */
function put(path, content) {
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
