/** One line of `sources.list`, or one stanza of a `.sources` file. */
export interface AptSource {
  readonly uris: readonly string[]
  readonly suites: readonly string[]
  readonly components: readonly string[]
}

/** Where Debian's packages come from. */
export interface Mirror {
  readonly archive: string
  readonly security: string | undefined
}

/** Debian's own archive among a machine's sources, which also name those of vendors. */
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

/** Reads a `.sources` file: stanzas of `Key: value`, where a line that begins with a space goes on with the one above. */
export function parseDeb822(text: string): readonly AptSource[] {
  const stanzas = withoutComments(text)
    .join('\n')
    .split(/\n\s*\n/)
  return stanzas.flatMap((stanza) => {
    const fields = new Map<string, string>()
    for (const [, key, value] of stanza.matchAll(/^(\S+?)\s*:(.*(?:\n[ \t].*)*)/gm)) {
      if (key) fields.set(key.toLowerCase(), value ?? '')
    }
    if (
      !words(fields.get('types')).includes('deb') ||
      /^\s*(no|false|off|0)\s*$/i.test(fields.get('enabled') ?? '')
    )
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
