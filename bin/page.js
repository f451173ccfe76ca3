import { readFile } from 'node:fs/promises'

/**
 * Builds the page of `provision report` as one HTML file, without a journal.
 * @param {string} root with a slash at its end
 * @returns {Promise<string>}
 */
export async function page(root) {
  const { build } = await import('esbuild')
  const folder = `${root}src/report/html/page`
  const [html, { outputFiles }] = await Promise.all([
    readFile(`${folder}/index.html`, 'utf8'),
    build({
      entryPoints: [`${folder}/main.ts`, `${folder}/style.css`],
      outdir: folder,
      bundle: true,
      minify: true,
      write: false,
      format: 'iife',
      platform: 'browser',
      target: 'es2022',
      charset: 'utf8',
      logLevel: 'silent',
    }),
  ])
  /** @param {string} end */
  const made = (end) => outputFiles.find(({ path }) => path.endsWith(end))?.text.trim() ?? ''
  return html
    .replace('<!-- style -->', () => `<style>${made('.css')}</style>`)
    .replace('<!-- script -->', () => `<script>${made('.js')}</script>`)
}
