import { batchRead } from '../../model/resource/read.ts'
import { sh } from '../../shell/sh.ts'

export interface SourceState {
  /** True if the lists were fetched after the last change of the source. */
  readonly refreshed: boolean
  /** The texts of the host's other sources, by path. */
  readonly files: ReadonlyMap<string, string>
}

/** Its time is the last refresh of this source by a run. */
export function refreshMark(name: string): string {
  return `/var/lib/provision/apt-sources/${name}`
}

/** One `grep` for all sources of a host. */
export const sourceState = batchRead<string, SourceState>({
  name: 'apt sources',
  dependsOn: () => ['/etc/apt', '/var/lib/apt', '/var/lib/provision/apt-sources'],
  shared: true,
  script: (names) => sh`for name in ${names}; do
  mark=/var/lib/provision/apt-sources/$name
  for file in /etc/apt/sources.list.d/$name.sources /etc/apt/keyrings/$name.* /etc/apt/keyrings/$name-[0-9]*; do
    [ ! "$file" -nt "$mark" ] || { echo "stale:$name"; break; }
  done
  [ -e "$mark" ] || echo "stale:$name"
done
grep -sH '' /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources`,
  parse: ({ stdout }, names) => {
    const lines = stdout.split('\n')
    const texts = new Map<string, string>()
    for (const line of lines) {
      const [, path, text = ''] = /^(\/[^:]*):(.*)$/.exec(line) ?? []
      if (path !== undefined) texts.set(path, `${texts.get(path) ?? ''}${text}\n`)
    }
    return names.map((name) => ({
      refreshed: !lines.includes(`stale:${name}`),
      files: new Map([...texts].filter(([path]) => path !== `/etc/apt/sources.list.d/${name}.sources`)),
    }))
  },
  fakeValue: ({ values }, name) => ({ refreshed: values.has(`lists of ${name}`), files: new Map() }),
})

/** The path of a file that has one of these sources. */
export function lookAtSources(
  { uris, suites }: { readonly uris: readonly string[]; readonly suites: readonly string[] },
  files: ReadonlyMap<string, string>,
): string | undefined {
  const wanted = new Set(uris.flatMap((uri) => suites.map((suite) => keyOf(uri, suite))))
  return [...files].find(([path, text]) => sourcesIn(path, text).some((source) => wanted.has(source)))?.[0]
}

/** The sources of a file, each as its address and its suite. */
function sourcesIn(path: string, text: string): readonly string[] {
  const lines = text.split('\n').filter((line) => !line.startsWith('#'))
  if (!path.endsWith('.sources'))
    return lines.flatMap((line) => {
      const [, uri, suite] = /^\s*deb(?:-src)?\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)/.exec(line) ?? []
      return uri === undefined || suite === undefined ? [] : [keyOf(uri, suite)]
    })
  return lines
    .join('\n')
    .split(/\n\s*\n/)
    .filter((stanza) => !/^Enabled:\s*(?:no|false|0)\s*$/im.test(stanza))
    .flatMap((stanza) => {
      const suites = fieldOf(stanza, 'Suites')
      return fieldOf(stanza, 'URIs').flatMap((uri) => suites.map((suite) => keyOf(uri, suite)))
    })
}

/** The words of a field; its value may continue on lines that begin with a space. */
function fieldOf(stanza: string, name: string): readonly string[] {
  const [, value = ''] = new RegExp(`^${name}:((?:.*)(?:\\n[ \\t].*)*)`, 'im').exec(stanza) ?? []
  return value.split(/\s+/).filter((word) => word !== '')
}

function keyOf(uri: string, suite: string): string {
  return `${uri.replace(/\/+$/, '')} ${suite.replace(/\/+$/, '')}`
}
