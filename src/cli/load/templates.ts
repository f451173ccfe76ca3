import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { type CompilerError, compilerErrors } from './compiler.ts'
import type { Installation } from './paths.ts'

interface Project {
  /** The directory of the project. */
  readonly root: string
  /** Undefined for a project without one: then `files` are checked with strict settings. */
  readonly tsconfig: string | undefined
  readonly files: readonly string[]
  readonly compiler: string
  /** A directory for temporary files. */
  readonly scratch: string
  readonly installation: Installation
}

/**
 * Runs the compiler on a project and on the templates beside its files. The code of the templates is written to a shadow directory;
 * `rootDirs` merges it with the project, so that relative imports in templates resolve.
 */
export async function projectErrors(
  project: Project,
): Promise<{ readonly errors: readonly CompilerError[]; readonly templates: number }> {
  const { root, scratch, files, compiler } = project
  const shadow = join(scratch, 'templates')
  rmSync(shadow, { recursive: true, force: true })
  mkdirSync(scratch, { recursive: true })
  const own = files.filter((file) => file.startsWith(`${root}/`))
  const templates = templatesBeside(own)
    .map((path) => ({ path, text: readFileSync(path, 'utf8') }))
    .map((template) => ({ ...template, ...templateCode(template.text) }))
  const valid = templates.filter(({ error }) => !error)
  const validPaths = new Set(valid.map(({ path }) => path))
  const shadows = [
    ...valid.map(({ path, text, code }) => shadowOfTemplate(path, text, code)),
    ...own.flatMap((file) => shadowOfCalls(file, validPaths)),
  ].map((one) => ({ ...one, at: join(shadow, relative(root, one.path)) }))
  for (const { at, code } of shadows) {
    mkdirSync(dirname(at), { recursive: true })
    writeFileSync(at, code)
  }
  const config = join(scratch, 'tsconfig.json')
  const added = shadows.map(({ at }) => at)
  writeFileSync(config, JSON.stringify(settings(project, shadow, added)))
  const errors = await compilerErrors(compiler, config)
  const byPath = new Map(shadows.map((one) => [one.at, one]))
  return {
    templates: templates.length,
    errors: [
      ...errors.flatMap((one) => (byPath.has(one.file) ? (byPath.get(one.file)?.translate(one) ?? []) : [one])),
      ...templates.flatMap(({ path, error }) => (error ? [{ file: path, ...error }] : [])),
    ],
  }
}

/** A file that only the compiler reads. */
interface Shadow {
  /** Its place in the project. */
  readonly path: string
  readonly code: string
  /** Moves an error to the file that the user wrote; undefined if the error repeats another one. */
  readonly translate: (error: CompilerError) => CompilerError | undefined
}

function shadowOfTemplate(path: string, text: string, code: string): Shadow {
  const last = text.trimEnd().split('\n').length
  const translate = (error: CompilerError): CompilerError | undefined => {
    if (error.line <= last) return { ...error, file: path }
    // A missing brace is reported after the end; other errors there repeat those of the head.
    return /expected/.test(error.message) ? { ...error, file: path, line: last, column: 1 } : undefined
  }
  return { path: `${path}.ts`, code, translate }
}

/**
 * `template<SiteConf>(import.meta, 'site.conf.ejs')` declares that the template accepts a SiteConf. A copy of the file, with one line
 * added per call, makes the compiler compare that with the head of the template.
 */
function shadowOfCalls(file: string, validTemplates: ReadonlySet<string>): readonly Shadow[] {
  const source = readFileSync(file, 'utf8')
  const calls = [...source.matchAll(CALL)].flatMap((call) => {
    const [, data = '', , template = ''] = call
    if (!validTemplates.has(join(dirname(file), 'templates', template))) return []
    const before = source.slice(0, call.index).split('\n')
    const check = `;((data: ${data.replaceAll('\n', ' ')}): import('./templates/${template}.ts').Head => data)`
    return [{ check, template, line: before.length, column: (before.at(-1) ?? '').length + 1 }]
  })
  if (calls.length === 0) return []
  const lines = source.split('\n').length
  const translate = ({ line, message }: CompilerError): CompilerError | undefined => {
    const call = calls[line - lines - 1]
    // Types that are local to a function cannot be named at the end of the file.
    if (!call || message.startsWith('Cannot find name')) return undefined
    return {
      file,
      line: call.line,
      column: call.column,
      message: `the head of ${call.template} does not accept this type: ${message}`,
    }
  }
  const code = [source, ...calls.map(({ check }) => check), ''].join('\n')
  return [{ path: file.replace(/\.([cm]?ts)$/, '.calls.$1'), code, translate }]
}

const CALL = /\btemplate<([^()]+?)>\(\s*import\.meta,\s*(['"])([^'"\n]+)\2/g

/** The templates in directories named `templates` beside one of the files. */
export function templatesBeside(files: readonly string[]): readonly string[] {
  const directories = [...new Set(files.map((file) => join(dirname(file), 'templates')))].filter((one) =>
    existsSync(one),
  )
  return directories.flatMap((directory) =>
    readdirSync(directory, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ejs'))
      .sort()
      .map((name) => join(directory, name)),
  )
}

function settings({ root, tsconfig, files, installation }: Project, shadow: string, shadows: readonly string[]) {
  const shared = {
    noEmit: true,
    composite: false,
    incremental: true,
    tsBuildInfoFile: join(shadow, '../state.tsbuildinfo'),
    rootDir: null,
    rootDirs: [root, shadow],
    allowImportingTsExtensions: true,
  }
  if (!tsconfig) {
    const isPublished = installation.compiled.endsWith('/dist/src/')
    const conditions = !isPublished && { customConditions: ['source'] }
    return { compilerOptions: { ...STRICT, ...shared, ...conditions }, files: [...files, ...shadows] }
  }
  // Without these keys a project includes all files below it; here that would be the files below the scratch directory.
  const namesFiles = /"(include|files|extends)"\s*:/.test(readFileSync(tsconfig, 'utf8'))
  return {
    extends: tsconfig,
    compilerOptions: shared,
    files: [...files, ...shadows],
    ...(!namesFiles && { include: [join(root, '**/*')] }),
  }
}

const STRICT = { target: 'es2023', module: 'nodenext', strict: true, skipLibCheck: true, erasableSyntaxOnly: true }

/** A template as TypeScript, with its code at the same lines and columns. */
interface TemplateCode {
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
