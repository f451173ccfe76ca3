import { readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'

export const ROOT = resolve(import.meta.dirname, '../..')

/** The source file of each public module, by its name. */
export const MODULES: Readonly<Record<string, string>> = {
  'provision-ts': 'src/index.ts',
  'provision-ts/ansible': 'src/ansible/index.ts',
  'provision-ts/engine': 'src/api/index.ts',
  'provision-ts/pki': 'src/pki/index.ts',
  'provision-ts/stack': 'stack/index.ts',
  'provision-ts/roles/postgres-databases.js': 'roles/postgres-databases.ts',
  'provision-ts/lab': 'src/lab/index.ts',
  'provision-ts/testing': 'src/testing/index.ts',
}

/** A name that users can import. */
export interface Exported {
  readonly name: string
  /** True if it exists at run time. */
  readonly isValue: boolean
  /** The file that declares it. */
  readonly file: string
  /** The text of the comment directly above its declaration, without stars. */
  readonly doc: string | undefined
}

/** Returns the names that a module exports. Requires sources with the format of the formatter. */
export function exportsOf(index: string): readonly Exported[] {
  const text = readFileSync(join(ROOT, index), 'utf8')
  return [...text.matchAll(/^export (type )?\{([^}]*)\} from '([^']+)'/gm)].flatMap(
    ([, all, names = '', from = '']) => {
      const file = relative(ROOT, join(ROOT, dirname(index), from))
      const declaring = readFileSync(join(ROOT, file), 'utf8')
      return names
        .split(',')
        .map((one) => one.trim())
        .filter((one) => one !== '')
        .map((one) => {
          const name = one.replace(/^type /, '')
          const found = declarationOf(name, declaring)
          if (!found) throw new Error(`${file} declares no ${name}`)
          const isType = all !== undefined || one.startsWith('type ')
          return { name, file, isValue: !isType, doc: found.doc }
        })
    },
  )
}

function declarationOf(name: string, text: string): { readonly doc: string | undefined } | undefined {
  const found = new RegExp(
    `(/\\*\\*(?:(?!\\*/)[\\s\\S])*\\*/\\n)?^export (?:async )?(?:function|const|class|interface|type) ${name}\\b`,
    'm',
  ).exec(text)
  return found ? { doc: found[1] && bare(found[1]) } : undefined
}

/** Returns a doc comment without its stars. */
export function bare(comment: string): string {
  return comment
    .replace(/^\/\*\*\s?|\s*\*\/\s*$/g, '')
    .replace(/^ *\* ?/gm, '')
    .trim()
}

/** Returns the code of the examples in a doc comment. */
export function examplesIn(doc: string): readonly string[] {
  return [...doc.matchAll(/^(?:.*\s)?@example\s([\s\S]*?)(?=^@|$(?![\s\S]))/gm)].map(([, code = '']) => code.trim())
}
