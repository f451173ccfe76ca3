import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import ejs from 'ejs'
import { Problem } from '../../model/problem.ts'
import { Secret } from '../../shell/secret.ts'

/** Renders data as text; as a Secret if the data contains one. */
export type Template<D> = (data: D) => HoldsSecret<D> extends true ? Secret : string

type HoldsSecret<D> = true extends (
  D extends Secret
    ? true
    : D extends (...args: never) => unknown
      ? false
      : D extends object
        ? { [K in keyof D]: HoldsSecret<D[K]> }[keyof D]
        : false
)
  ? true
  : false

/**
 * An EJS file in the folder `templates/` next to the caller, as a function. Its first line declares its data:
 * `<%# ({ domain, port }: SiteConf) -%>`. An undefined value is an error with file and line. Nothing is escaped for HTML.
 *
 * @param meta `import.meta` of the caller
 * @example const siteConf = template<{ readonly domain: string }>(import.meta, 'site.conf.ejs')
 */
export function template<D extends object>({ url }: { readonly url: string }, name: string): Template<D> {
  const path = new URL(`templates/${name}`, url)
  let compiled: ((data: object) => string) | undefined
  const render = (data: D): string => {
    const file = fileURLToPath(path)
    compiled ??= compile(sourceOf(file, name), { name, path: file })
    try {
      return compiled(data)
    } catch (error) {
      if (error instanceof Problem) throw error
      throw templateProblem(error, file)
    }
  }
  const make = (data: D): string | Secret => (holdsSecret(data) ? new Secret(() => render(data)) : render(data))
  return make as Template<D>
}

function compile(
  text: string,
  { name, path }: { readonly name: string; readonly path: string },
): (data: object) => string {
  const head = /^<%#\s*\(\s*\{([^}]*)\}/.exec(text)?.[1]
  if (head === undefined) {
    throw new Problem(`${name}: the first line must declare the data`, {
      where: `${path}:1:1`,
      next: 'Write, for example: <%# ({ domain, port }: SiteConf) -%>',
    })
  }
  const [before = '', ...more] = text.split('<%-')
  if (more.length > 0) {
    throw new Problem(`${name}: <%- prints nothing for an undefined value`, {
      where: `${path}:${lineAndColumn(text, before.length)}`,
      next: 'Write <%= instead; it does not escape here.',
    })
  }
  const names = head
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '')
  const tags = [...text.matchAll(/<%=/g)].map(({ index }) => index)
  const print = (...[tag, value]: readonly unknown[]): string => {
    // EJS also calls it with the name of the file.
    if (typeof tag !== 'number') return String(tag)
    const fault = printProblem(value)
    if (fault === undefined) return value instanceof Secret ? value.reveal() : String(value)
    const from = tags[tag] ?? 0
    const code = /^<%=([\s\S]*?);?\s*[-_]?%>/.exec(text.slice(from))?.[1]?.trim() ?? 'a value'
    const at = Math.max(from, text.indexOf(code, from))
    throw new Unprintable(`${name}: ${code} ${fault}`, `${path}:${lineAndColumn(text, at)}`)
  }
  let count = 0
  // Each tag passes its number with its value, so that an error can locate it.
  const numbered = text.replaceAll('<%=', () => `<%= ${count++},`)
  try {
    return ejs.compile(numbered, { escape: print, strict: true, destructuredLocals: names, filename: name }) as (
      data: object,
    ) => string
  } catch (error) {
    throw new Problem(`${name}: ${firstLine(error).replace(/ in \S+ while compiling ejs$/, '')}`, {
      where: path,
      next: 'Run provision validate: it shows the line.',
      cause: error,
    })
  }
}

/** Keeps its own message: EJS changes the messages of errors. */
class Unprintable extends Error {
  readonly description: string
  readonly where: string

  constructor(text: string, where: string) {
    super(text)
    this.description = text
    this.where = where
  }
}

/** The reason a value cannot be printed; undefined if it can. */
function printProblem(value: unknown): string | undefined {
  if (value instanceof Secret) return undefined
  if (value === undefined || value === null) return `is ${value}`
  if (typeof value === 'object' || typeof value === 'function')
    return `is ${Array.isArray(value) ? 'a list' : typeof value === 'function' ? 'a function' : 'an object'}, not a text`
  return undefined
}

/** EJS puts name, line and an excerpt before the message. */
function templateProblem(error: unknown, path: string): Problem {
  if (error instanceof Unprintable) return new Problem(error.description, { where: error.where })
  const message = error instanceof Error ? error.message : String(error)
  const [, row] = /^\S+:(\d+)\n/.exec(message) ?? []
  const text = message.split('\n\n').at(-1) ?? message
  const [, name] = /^(\S+) is not defined$|\(reading '([^']+)'\)/.exec(text)?.filter((one) => one !== undefined) ?? []
  const line = row === undefined ? undefined : readFileSync(path, 'utf8').split('\n')[Number(row) - 1]
  const column =
    name === undefined ? 0 : Math.max(0, line?.search(RegExp(`(?<![\\w$])${escaped(name)}(?![\\w$])`)) ?? 0)
  return new Problem(`${basename(path)}: ${text}`, {
    where: row === undefined ? path : `${path}:${row}:${column + 1}`,
    cause: error,
  })
}

function escaped(name: string): string {
  return name.replace(/[^\w]/g, '\\$&')
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? ''
}

/** `line:column` of an index in a text, both from 1. */
function lineAndColumn(text: string, at: number): string {
  const before = text.slice(0, at).split('\n')
  return `${before.length}:${(before.at(-1) ?? '').length + 1}`
}

/** @throws Problem if there is no such template */
function sourceOf(path: string, name: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
    throw new Problem(missing ? `There is no template ${name}` : `The template ${name} cannot be read`, {
      where: path,
      ...(missing && { next: 'Templates are in the folder templates/ next to the file that uses them.' }),
      cause: error,
    })
  }
}

function holdsSecret(data: unknown): boolean {
  if (data instanceof Secret) return true
  return typeof data === 'object' && data !== null && Object.values(data).some(holdsSecret)
}
