import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Problem } from '../../model/problem.ts'

/** One line of `sources.list`, or one stanza of a `.sources` file. */
interface AptSource {
  readonly uris: readonly string[]
  readonly suites: readonly string[]
  readonly components: readonly string[]
}

/** A mirror of Debian's archive. */
export interface Mirror {
  readonly archive: string
  readonly security: string | undefined
}

/** Debian's archive among a machine's sources, which may include those of vendors. */
export function debianMirror(sources: readonly AptSource[]): Mirror | undefined {
  const main = sources.filter(({ components }) => components.includes('main'))
  const archive = uriOf(main, (suite) => RELEASES.has(suite))
  const security = uriOf(
    main,
    (suite) => RELEASES.has(suite.replace(/[-/](security|updates)$/, '')) && /security/.test(suite),
  )
  return archive === undefined ? undefined : { archive, security }
}

/** Reads `sources.list`: `deb [options] uri suite component…`. */
export function parseOneLine(text: string): readonly AptSource[] {
  return withoutComments(text).flatMap((line) => {
    const [, uri, suite, components] = /^\s*deb\s+(?:\[[^\]]*\]\s*)?(\S+)\s+(\S+)\s*(.*)$/.exec(line) ?? []
    return uri && suite ? [{ uris: [uri], suites: [suite], components: words(components) }] : []
  })
}

/** Reads a `.sources` file: stanzas of `Key: value`; a line that begins with a space continues the one above. */
export function parseDeb822(text: string): readonly AptSource[] {
  const stanzas = withoutComments(text)
    .join('\n')
    .split(/\n\s*\n/)
  return stanzas.flatMap((stanza) => {
    const fields = new Map<string, string>()
    for (const [, key, value] of stanza.matchAll(/^(\S+?)\s*:(.*(?:\n[ \t].*)*)/gm)) {
      if (key) fields.set(key.toLowerCase(), value ?? '')
    }
    if (!words(fields.get('types')).includes('deb') || /^\s*(no|false|off|0)\s*$/i.test(fields.get('enabled') ?? ''))
      return []
    return [
      {
        uris: words(fields.get('uris')),
        suites: words(fields.get('suites')),
        components: words(fields.get('components')),
      },
    ]
  })
}

const RELEASES: ReadonlySet<string> = new Set([
  ...['bullseye', 'bookworm', 'trixie', 'forky', 'sid'],
  ...['oldoldstable', 'oldstable', 'stable', 'testing', 'unstable'],
])

function uriOf(sources: readonly AptSource[], fits: (suite: string) => boolean): string | undefined {
  return sources.find(({ suites }) => suites.some(fits))?.uris[0]?.replace(/\/+$/, '')
}

function withoutComments(text: string): readonly string[] {
  return text.split('\n').filter((line) => !/^\s*#/.test(line))
}

function words(text: string | undefined): readonly string[] {
  return (text ?? '').split(/\s+/).filter(Boolean)
}

const APT = '/etc/apt'

/** The mirror that this machine installs from, or PROVISION_LAB_MIRROR if it is set. */
export function machineMirror(): Mirror {
  const named = process.env['PROVISION_LAB_MIRROR']
  if (named) return { archive: named.replace(/\/+$/, ''), security: undefined }
  const found = debianMirror(machineSources())
  if (found) {
    const [archive, security] = [found.archive, found.security].map((uri) => uri && onlyMirror(uri))
    if (archive) return { archive, security }
  }
  throw new Problem("This machine's apt sources name no mirror of Debian.", {
    where: `${APT}/sources.list, ${APT}/sources.list.d`,
    next: 'Name one: PROVISION_LAB_MIRROR=http://… provision lab up',
  })
}

function machineSources(): readonly AptSource[] {
  const list = join(APT, 'sources.list.d')
  if (!existsSync(list)) return parseOneLine(readIfThere(join(APT, 'sources.list')))
  const files = readdirSync(list, { withFileTypes: true }).map(({ name }) => join(list, name))
  return [join(APT, 'sources.list'), ...files.sort()].flatMap((file) => {
    if (file.endsWith('.sources')) return parseDeb822(readFileSync(file, 'utf8'))
    return file.endsWith('.list') ? parseOneLine(readIfThere(file)) : []
  })
}

/** Debian's cloud images keep the mirror in a separate list: `mirror+file:/etc/apt/mirrors/debian.list`. */
function onlyMirror(uri: string): string | undefined {
  const [, list] = /^mirror\+file:(.*)$/.exec(uri) ?? []
  if (list === undefined) return uri
  return readIfThere(list)
    .split(/\s+/)
    .find((word) => /^https?:/.test(word))
    ?.replace(/\/+$/, '')
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
