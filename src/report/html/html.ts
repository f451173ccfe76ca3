import { createHash } from 'node:crypto'

/**
 * The page with a journal in it: one file that asks for nothing else. Its policy lets nothing run but its own script, and nothing load.
 *
 * @param page what `bin/page.js` has made
 */
export function reportHtml(page: string, journal: string): string {
  const [style, script] = ['style', 'script'].map((tag) => insideOf(page, tag))
  const policy = `default-src 'none'; style-src ${hashOf(style)}; script-src ${hashOf(script)}; base-uri 'none'; form-action 'none'`
  // Within JSON, `<` stands in strings alone, where it may be written otherwise: no word of a run can end the element.
  const data = journal.replaceAll('<', '\\u003c')
  return page
    .replace('<!-- policy -->', () => `<meta http-equiv="Content-Security-Policy" content="${policy}">`)
    .replace('<!-- journal -->', () => `<script type="application/json" id="journal">${data}</script>`)
}

function insideOf(page: string, tag: string): string {
  return new RegExp(`<${tag}>([\\s\\S]*)</${tag}>`).exec(page)?.[1] ?? ''
}

function hashOf(text: string | undefined): string {
  return `'sha256-${createHash('sha256')
    .update(text ?? '')
    .digest('base64')}'`
}
