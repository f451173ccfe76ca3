import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { type CompilerError, compilerErrors } from './compiler.ts'
import { templateCalls } from './template-calls.ts'
import { templateCode } from './template-code.ts'

interface Project {
  /** Its folder: all its files lie below it. */
  readonly root: string
  /** Undefined for a project without one: then these files are checked, strictly. */
  readonly tsconfig: string | undefined
  readonly files: readonly string[]
  readonly compiler: string
  /** A folder for what is made on the way. */
  readonly scratch: string
  readonly ownSources: boolean
}

/**
 * What the compiler says of a project and of the templates beside its files, in one go. The templates' code lies in a shadow of
 * the project's folders: `rootDirs` makes the two one, so that what a head imports is found from where the template stands.
 */
export async function projectErrors(project: Project): Promise<{
  readonly faults: readonly CompilerError[]
  readonly templates: number
}> {
  const { root, scratch, files, compiler } = project
  const shadow = join(scratch, 'templates')
  rmSync(shadow, { recursive: true, force: true })
  const own = files.filter((file) => file.startsWith(`${root}/`))
  const templates = templatesBeside(own).map((path) => ({ path, text: readFileSync(path, 'utf8') }))
  const codes = templates.map((template) => ({ ...template, ...templateCode(template.text) }))
  const sound = codes.filter(({ fault }) => !fault)
  const shadows = [
    ...sound.map(({ path, text, code }) => shadowOfTemplate(path, text, code)),
    ...own.flatMap((file) => shadowOfCalls(file, new Set(sound.map(({ path }) => path)))),
  ].map((one) => ({ ...one, at: join(shadow, relative(root, one.path)) }))
  for (const { at, code } of shadows) {
    mkdirSync(dirname(at), { recursive: true })
    writeFileSync(at, code)
  }
  mkdirSync(scratch, { recursive: true })
  const config = join(scratch, 'tsconfig.json')
  const added = shadows.map(({ at }) => at)
  writeFileSync(config, JSON.stringify(configOf(project, shadow, added)))
  const said = await compilerErrors(compiler, config)
  const byPath = new Map(shadows.map((one) => [one.at, one]))
  return {
    templates: templates.length,
    faults: [
      ...said.flatMap((word) => byPath.get(word.file)?.placed(word) ?? (byPath.has(word.file) ? [] : [word])),
      ...codes.flatMap(({ path, fault }) => (fault ? [{ file: path, ...fault }] : [])),
    ],
  }
}

/** A file that is made for the compiler alone. */
interface Shadow {
  /** Where it would lie in the project. */
  readonly path: string
  readonly code: string
  /** What the compiler says of it, as said of a file that somebody has written; undefined for what is said there already. */
  readonly placed: (word: CompilerError) => CompilerError | undefined
}

function shadowOfTemplate(path: string, text: string, code: string): Shadow {
  const last = text.trimEnd().split('\n').length
  const placed = (word: CompilerError): CompilerError | undefined => {
    if (word.line <= last) return { ...word, file: path }
    // A brace that is missing is missed behind the end; all else down there repeats the head.
    return /expected/.test(word.message) ? { ...word, file: path, line: last, column: 1 } : undefined
  }
  return { path: `${path}.ts`, code, placed }
}

function shadowOfCalls(file: string, sound: ReadonlySet<string>): readonly Shadow[] {
  const source = readFileSync(file, 'utf8')
  const isSound = (template: string) => sound.has(join(dirname(file), 'templates', template))
  const { text, calls, lines } = templateCalls(source, isSound)
  if (calls.length === 0) return []
  const placed = ({ line, message }: CompilerError): CompilerError | undefined => {
    const call = calls[line - lines - 1]
    // A type that only a function's body knows cannot be held against anything from here.
    if (!call || message.startsWith('Cannot find name')) return undefined
    return {
      file,
      line: call.line,
      column: call.column,
      message: `the head of ${call.template} takes something else: ${message}`,
    }
  }
  return [{ path: file.replace(/\.([cm]?ts)$/, '.calls.$1'), code: text, placed }]
}

/** All that lies in a folder `templates` beside one of these files. */
export function templatesBeside(files: readonly string[]): readonly string[] {
  const folders = [...new Set(files.map((file) => join(dirname(file), 'templates')))].filter((folder) =>
    existsSync(folder),
  )
  return folders.flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ejs'))
      .sort()
      .map((name) => join(folder, name)),
  )
}

function configOf(
  { root, tsconfig, files, ownSources }: Project,
  shadow: string,
  templates: readonly string[],
) {
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
    const own = ownSources && { customConditions: ['source'] }
    return { compilerOptions: { ...STRICT, ...shared, ...own }, files: [...files, ...templates] }
  }
  // Without a word on its files a project means all below it, and not what lies below this file, which extends it.
  const named = /"(include|files|extends)"\s*:/.test(readFileSync(tsconfig, 'utf8'))
  return {
    extends: tsconfig,
    compilerOptions: shared,
    files: [...files, ...templates],
    ...(!named && { include: [join(root, '**/*')] }),
  }
}

const STRICT = {
  target: 'es2023',
  module: 'nodenext',
  strict: true,
  skipLibCheck: true,
  erasableSyntaxOnly: true,
}
