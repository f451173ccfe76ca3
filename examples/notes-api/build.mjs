// Bundles the service into dist/app/server.mjs, with its migrations beside it, and copies the site to dist/public. The same sources give the same bytes.
import { createHash } from 'node:crypto'
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

process.chdir(fileURLToPath(new URL('.', import.meta.url)))
rmSync('dist', { recursive: true, force: true })

await build({
  entryPoints: ['src/main.ts'],
  outfile: 'dist/app/server.mjs',
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node18',
  // pg-native is an optional C binding that pg asks for in a try block.
  external: ['pg-native'],
  // pg is CommonJS and calls require() for Node's own modules.
  banner: {
    js: "import { createRequire } from 'node:module'\nconst require = createRequire(import.meta.url)",
  },
  legalComments: 'none',
  tsconfigRaw: {},
  logLevel: 'warning',
})

cpSync('migrations', 'dist/app/migrations', { recursive: true })
mkdirSync('dist/public', { recursive: true })
for (const name of readdirSync('public').sort()) writeFileSync(`dist/public/${name}`, page(name))

/** A page's links to the site's own files carry a hash of their content, so that nginx may let browsers keep them. */
function page(name) {
  const content = readFileSync(`public/${name}`)
  if (!name.endsWith('.html')) return content
  return content
    .toString('utf8')
    .replace(/(href|src)="\/([\w.-]+)"/g, (_, attribute, file) => `${attribute}="/${file}?v=${hash(file)}"`)
}

function hash(file) {
  return createHash('sha256')
    .update(readFileSync(`public/${file}`))
    .digest('hex')
    .slice(0, 12)
}
