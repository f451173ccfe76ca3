/** A template as TypeScript, with its code at the same lines and columns. */
export interface TemplateCode {
  readonly code: string
  /** Set if the template is invalid. */
  readonly error?: { readonly line: number; readonly column: number; readonly message: string }
}

/**
 * Converts a template to TypeScript. `<%# ({ port }: Conf) -%>` becomes the head of a function, `<%= port %>` a call that accepts only
 * printable values, and other text becomes blanks. Errors of the compiler therefore have the right position in the template.
 */
export function templateCode(template: string): TemplateCode {
  const head = HEAD.exec(template)
  if (!head) return invalid(template, 0, 'the first line must declare the data: <%# ({ port }: Conf) -%>')
  const [whole, open = '', params = '', close = ''] = head
  let text = blank(open) + params + '=>{'.padEnd(close.length)
  // No code follows the head on its line, so a text longer than the closing tag shifts nothing.
  let at = whole.length
  for (const tag of template.slice(at).matchAll(TAG)) {
    const from = whole.length + tag.index
    const [all, kind = '', code = '', end = ''] = tag
    if (kind === '-') return invalid(template, from, '<%- prints nothing for an undefined value; use <%= instead')
    text += blank(template.slice(at, from)) + (kind === '#' || kind === '%' ? blank(all) : statement(kind, code, end))
    at = from + all.length
  }
  const [, type = 'object'] = /\}\s*:([\s\S]+)\)$/.exec(params) ?? []
  return { code: `${text}${blank(template.slice(at))}\n};${DECLARATIONS}export type Head = ${type}\n` }
}

const HEAD = /^(<%#\s*)(\(\s*\{[\s\S]*?\}\s*(?::[\s\S]*?)?\))(\s*[-_]?%>)/
const TAG = /<%([%#=_-]?)([\s\S]*?)([-_]?%>|$)/g

/** `Value`: the types that a template may print; see `printed` in template.ts. */
const DECLARATIONS = `
type Value = string | number | bigint | boolean | import('provision-ts').Secret
declare function _(value: Value): void
`

function statement(kind: string, code: string, end: string): string {
  const printed = withoutEnd(withoutComment(code))
  if (kind === '=') return `;_(${printed})${' '.repeat(Math.max(0, end.length - 2))};`
  return `; ${' '.repeat(kind.length)}${withoutComment(code)}${' '.repeat(end.length)}`
}

/** A comment at the end of a tag would comment out the code after it. */
function withoutComment(code: string): string {
  return code.replace(TOKENS, (token) => (token.startsWith('//') ? blank(token) : token))
}

const TOKENS = /'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|`(?:\\.|[^`\\])*`|\/\*[\s\S]*?\*\/|\/\/[^\n]*/g

/** ejs allows a semicolon after the expression. */
function withoutEnd(code: string): string {
  return code.replace(/;(\s*)$/, ' $1')
}

function blank(text: string): string {
  return text.replace(/[^\n\r]/g, ' ')
}

function invalid(template: string, at: number, message: string): TemplateCode {
  const before = template.slice(0, at).split('\n')
  const [last = ''] = before.slice(-1)
  return { code: '', error: { line: before.length, column: last.length + 1, message } }
}
