/** A template as TypeScript in which each character of its code stands at its own line and column. */
export interface TemplateCode {
  readonly code: string
  /** What makes it no template at all. */
  readonly fault?: { readonly line: number; readonly column: number; readonly message: string }
}

/**
 * `<%# ({ port }: Conf) -%>` becomes the head of a function, `<%= port %>` a call that takes only what can be printed, and all
 * other text becomes blanks. So the compiler's word about a place is a word about that place of the template.
 */
export function templateCode(template: string): TemplateCode {
  const head = HEAD.exec(template)
  if (!head) return refused(template, 0, 'the first line must declare the data: <%# ({ port }: Conf) -%>')
  const [whole, open = '', takes = '', close = ''] = head
  let text = blank(open) + takes + '=>{'.padEnd(close.length)
  // Nothing stands behind the head on its line: what does not fit over its closing is in nobody's way there.
  let at = whole.length
  for (const tag of template.slice(at).matchAll(TAG)) {
    const from = whole.length + tag.index
    const [all, kind = '', code = '', end = ''] = tag
    if (kind === '-')
      return refused(template, from, '<%- prints nothing for an undefined value; write <%= instead')
    text +=
      blank(template.slice(at, from)) + (kind === '#' || kind === '%' ? blank(all) : spoken(kind, code, end))
    at = from + all.length
  }
  const [, type = 'object'] = /\}\s*:([\s\S]+)\)$/.exec(takes) ?? []
  return { code: `${text}${blank(template.slice(at))}\n};${DECLARATIONS}export type Head = ${type}\n` }
}

const HEAD = /^(<%#\s*)(\(\s*\{[\s\S]*?\}\s*(?::[\s\S]*?)?\))(\s*[-_]?%>)/
const TAG = /<%([%#=_-]?)([\s\S]*?)([-_]?%>|$)/g

/** `Value` is what a template may print; see `printed` of template.ts. */
const DECLARATIONS = `
type Value = string | number | bigint | boolean | import('provision-ts').Secret
declare function _(value: Value): void
`

function spoken(kind: string, code: string, end: string): string {
  const said = withoutEnd(withoutComment(code))
  if (kind === '=') return `;_(${said})${' '.repeat(Math.max(0, end.length - 2))};`
  return `; ${' '.repeat(kind.length)}${withoutComment(code)}${' '.repeat(end.length)}`
}

/** A comment at the end of a tag would go on behind it. */
function withoutComment(code: string): string {
  return code.replace(WORDS, (word) => (word.startsWith('//') ? blank(word) : word))
}

const WORDS = /'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|`(?:\\.|[^`\\])*`|\/\*[\s\S]*?\*\/|\/\/[^\n]*/g

/** ejs takes a semicolon at the end of what is printed. */
function withoutEnd(code: string): string {
  return code.replace(/;(\s*)$/, ' $1')
}

function blank(text: string): string {
  return text.replace(/[^\n\r]/g, ' ')
}

function refused(template: string, at: number, message: string): TemplateCode {
  const before = template.slice(0, at).split('\n')
  const [last = ''] = before.slice(-1)
  return { code: '', fault: { line: before.length, column: last.length + 1, message } }
}
