import { createHash } from 'node:crypto'

/**
 * Renders a journal as a single HTML file. Its content security policy allows only its own script and style, and no requests.
 *
 * @param page the built page of `bin/page.js`
 */
export function reportHtml(page: string, journal: string): string {
  const [style, script] = ['style', 'script'].map((tag) => contentOf(page, tag))
  const policy = `default-src 'none'; style-src ${hashOf(style)}; script-src ${hashOf(script)}; base-uri 'none'; form-action 'none'`
  // In JSON `<` occurs only within strings; escaped, no text of a run can close the element.
  const data = journal.replaceAll('<', '\\u003c')
  return page
    .replace('<!-- policy -->', () => `<meta http-equiv="Content-Security-Policy" content="${policy}">`)
    .replace('<!-- journal -->', () => `<script type="application/json" id="journal">${data}</script>`)
}

function contentOf(page: string, tag: string): string {
  return new RegExp(`<${tag}>([\\s\\S]*)</${tag}>`).exec(page)?.[1] ?? ''
}

function hashOf(text: string | undefined): string {
  return `'sha256-${createHash('sha256')
    .update(text ?? '')
    .digest('base64')}'`
}
