// In the repository the sources are bundled after each change; the published package is compiled.
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const compiled = existsSync(`${root}src`) ? await bundled() : `${root}dist/src/`
const { main } = await import(`${compiled}cli.js`)
await main(process.argv.slice(2), { root, compiled })

async function bundled() {
  const { bundleSelf } = await import('./bundle.js')
  try {
    return await bundleSelf(root)
  } catch (error) {
    const { code, path } = /** @type {NodeJS.ErrnoException} */ (error)
    if (code !== 'EACCES') throw error
    console.error(`error: cannot write ${path}: it belongs to another user
   If sudo created it, change the owner: sudo chown -R "$USER" ${root}node_modules/.cache`)
    return process.exit(70)
  }
}
