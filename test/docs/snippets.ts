import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { exportsOf, MODULES, ROOT } from './exports.ts'

/** A piece of TypeScript from a text. */
export interface Snippet {
  /** Its place, for messages. */
  readonly where: string
  readonly code: string
  /** Its path for imports from others of its folder; such a file is compiled unchanged, without added imports. */
  readonly file?: { readonly folder: string; readonly path: string }
}

/** Returns the compiler errors of these snippets, `where: words` each. One compiler run compiles all, each as its own module. */
export async function wrongIn(snippets: readonly Snippet[]): Promise<readonly string[]> {
  const directory = mkdtempSync(join(tmpdir(), 'provision-snippets-'))
  try {
    writeFileSync(join(directory, 'package.json'), '{ "type": "module" }')
    writeFileSync(join(directory, 'tsconfig.json'), JSON.stringify(PROJECT))
    const byFile = new Map(snippets.map((snippet, i) => [fileOf(snippet, i), snippet]))
    for (const [path, { code, file }] of byFile) {
      mkdirSync(join(directory, dirname(path)), { recursive: true })
      writeFileSync(join(directory, path), file ? code : moduleOf(code))
    }
    return (await compiled(directory)).split('\n').flatMap((line) => {
      const [, path = '', words] = /^(\S+)\(\d+,\d+\): error TS\d+: (.*)$/.exec(line) ?? []
      if (/^error TS/.test(line)) return [line]
      const snippet = byFile.get(path)
      return snippet ? [`${snippet.where}: ${words}`] : []
    })
  } finally {
    rmSync(directory, { recursive: true })
  }
}

function fileOf({ file }: Snippet, i: number): string {
  return file ? `${file.folder}/${file.path}` : `snippet-${i}.ts`
}

const PROJECT = {
  extends: join(ROOT, 'tsconfig.json'),
  compilerOptions: {
    paths: {
      ...Object.fromEntries(Object.entries(MODULES).map(([name, path]) => [name, [join(ROOT, path)]])),
      'provision-ts/roles/*': [join(ROOT, 'roles/*/index.ts')],
      chai: [join(ROOT, 'node_modules/chai')],
      prelude: [join(ROOT, 'test/docs/prelude.ts')],
    },
    typeRoots: [join(ROOT, 'node_modules/@types')],
    noUnusedLocals: false,
    noUnusedParameters: false,
    verbatimModuleSyntax: false,
    isolatedModules: false,
  },
  include: ['**/*.ts'],
}

/** Names of the stack have to be imported: others have some of them, too. */
const KNOWN = [
  ...Object.entries(MODULES)
    .filter(([from]) => from !== 'provision-ts/stack')
    .map(([from, index]) => ({
      from,
      names: exportsOf(index).map(({ name }) => name),
    })),
  { from: 'prelude', names: preludeNames() },
]

/** Adds imports for the names that the snippet uses and does not declare. */
function moduleOf(code: string): string {
  const own = new Set<string>()
  for (const [, names = '', name = ''] of code.matchAll(
    /\b(?:const|let|function|class|interface|type|import)\s+(?:(?:type\s+)?\{([^}]*)\}|([\w$]+))/g,
  ))
    for (const one of [...names.split(','), name]) own.add(one.trim().replace(/^.*[\s:]/, ''))
  const used = new Set([...code.matchAll(/(?<![\w$]|(?<!\.\.)\.)[A-Za-z_$][\w$]*/g)].map(([word]) => word))
  const imports = KNOWN.map(({ from, names }) => {
    const wanted = names.filter((name) => used.has(name) && !own.has(name))
    for (const name of wanted) own.add(name)
    return `import { ${wanted.join(', ')} } from '${from}'\n`
  })
  // Other relative imports of a page refer to files of the project.
  const placed = code.replaceAll(/ from '\.\.?\//g, ` from '${ROOT}/`)
  return `${imports.join('')}${wholeOf(placed)}\nexport {}\n`
}

/** Completes a part of an object or of a list, which ends with a comma. */
function wholeOf(code: string): string {
  if (!/,\s*$/.test(code)) return code
  return /^\s*\w+: /.test(code) ? `void {\n${code}\n}` : `void [\n${code}\n]`
}

function preludeNames(): readonly string[] {
  const text = readFileSync(join(ROOT, 'test/docs/prelude.ts'), 'utf8')
  return [...text.matchAll(/^export (?:(?:declare )?(?:const|function|interface|type) (\w+)|\{ ([^}]*) \})/gm)].flatMap(
    ([, name, several = name]) => several?.split(/,\s*/) ?? [],
  )
}

function compiled(directory: string): Promise<string> {
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc')
  return new Promise((done) => {
    execFile(process.execPath, [tsc, '-p', '.', '--pretty', 'false'], { cwd: directory }, (_error, stdout) =>
      done(stdout),
    )
  })
}
