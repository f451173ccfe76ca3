import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { compilerWords, type Word } from './compiler.ts'
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
export async function projectFaults(project: Project): Promise<{
  readonly faults: readonly Word[]
  readonly templates: number
}> {
  const { root, scratch, files, compiler } = project
  const shadow = join(scratch, 'templates')
  rmSync(shadow, { recursive: true, force: true })
  const templates = templatesBeside(files)
  const made = templates.map((path) => {
    const template = readFileSync(path, 'utf8')
    const { text, fault } = templateCode(template)
    const copy = join(shadow, `${relative(root, path)}.ts`)
    mkdirSync(dirname(copy), { recursive: true })
    writeFileSync(copy, text)
    return { path, copy, fault, lines: template.trimEnd().split('\n').length }
  })
  const config = join(scratch, 'tsconfig.json')
  const sound = made.filter(({ fault }) => !fault).map(({ copy }) => copy)
  writeFileSync(config, JSON.stringify(configOf(project, shadow, sound)))
  const said = await compilerWords(compiler, config)
  const originals = new Map(made.map((one) => [one.copy, one]))
  return {
    templates: templates.length,
    faults: [
      ...said.map((word) => inTemplate(word, originals.get(word.file))),
      ...made.flatMap(({ path, fault }) => (fault ? [{ file: path, ...fault }] : [])),
    ],
  }
}

/** What is said of the lines that we have added, such as a brace that is missing, is said of the last. */
function inTemplate(
  word: Word,
  template: { readonly path: string; readonly lines: number } | undefined,
): Word {
  if (!template) return word
  const { path, lines } = template
  return word.line > lines ? { ...word, file: path, line: lines, column: 1 } : { ...word, file: path }
}

/** All that lies in a folder `templates` beside one of these files. */
function templatesBeside(files: readonly string[]): readonly string[] {
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
