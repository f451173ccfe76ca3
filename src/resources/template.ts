import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import ejs from 'ejs'
import { Problem } from '../model/problem.ts'
import { Secret } from '../shell/secret.ts'

/** Text made from data; a Secret when the data holds one. */
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
 * An EJS file in `templates/` beside the file that asks for it, as a function. Its first line names what it takes:
 * `<%# ({ domain, port }: SiteConf) -%>`. What is undefined is an error with file and line, never an empty text; nothing is
 * escaped for HTML, since configuration is none.
 *
 * @param meta `import.meta` of the caller
 * @example const siteConf = template<{ readonly domain: string }>(import.meta, 'site.conf.ejs')
 */
export function template<D extends object>({ url }: { readonly url: string }, name: string): Template<D> {
  const path = new URL(`templates/${name}`, url)
  let compiled: ((data: object) => string) | undefined
  const render = (data: D): string => {
    compiled ??= compile(readFileSync(path, 'utf8'), { name, path: fileURLToPath(path) })
    try {
      return compiled(data)
    } catch (error) {
      if (error instanceof Problem) throw error
      throw inTemplate(error, fileURLToPath(path))
    }
  }
  const make = (data: D): string | Secret =>
    holdsSecret(data) ? new Secret(() => render(data)) : render(data)
  return make as Template<D>
}

function compile(
  text: string,
  { name, path }: { readonly name: string; readonly path: string },
): (data: object) => string {
  const head = /^<%#\s*\(\s*\{([^}]*)\}/.exec(text)?.[1]
  if (head === undefined) {
    throw new Problem(`${name}: its first line should name what it takes`, {
      where: `${path}:1:1`,
      next: 'Write, for example: <%# ({ domain, port }: SiteConf) -%>',
    })
  }
  const [before = '', ...more] = text.split('<%-')
  if (more.length > 0) {
    const lines = before.split('\n')
    throw new Problem(`${name}: <%- prints an undefined value as nothing`, {
      where: `${path}:${lines.length}:${(lines.at(-1) ?? '').length + 1}`,
      next: 'Write <%= instead; it escapes nothing here.',
    })
  }
  const names = head
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '')
  return ejs.compile(text, { escape: printed, strict: true, destructuredLocals: names, filename: name }) as (
    data: object,
  ) => string
}

function printed(value: unknown): string {
  if (value instanceof Secret) return value.reveal()
  if (value === undefined || value === null) throw new TypeError('the value is undefined')
  if (typeof value === 'object' || typeof value === 'function')
    throw new TypeError(`the value is ${Array.isArray(value) ? 'a list' : 'an object'}, not a text`)
  return String(value)
}

/** EJS puts the name, the line and an excerpt in front of the message. */
function inTemplate(error: unknown, path: string): Problem {
  const message = error instanceof Error ? error.message : String(error)
  const [, line] = /^\S+:(\d+)\n/.exec(message) ?? []
  const parts = message.split('\n\n')
  const excerpt = parts[0]?.split('\n').slice(1) ?? []
  return new Problem(`${basename(path)}: ${parts.at(-1)}`, {
    where: line ? `${path}:${line}` : path,
    details: excerpt,
    cause: error,
  })
}

function holdsSecret(data: unknown): boolean {
  if (data instanceof Secret) return true
  return typeof data === 'object' && data !== null && Object.values(data).some(holdsSecret)
}
