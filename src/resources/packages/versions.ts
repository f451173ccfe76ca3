import { batchRead } from '../../model/resource/read.ts'
import { sh } from '../../shell/sh.ts'
import { FRESH } from './apt.ts'
import { bare } from './state.ts'

/** The versions of a package that the sources of a host have. */
export interface Available {
  /** From the newest to the oldest, with the installed one. */
  readonly versions: readonly Version[]
  /** The version that apt would install. */
  readonly candidate: string | undefined
  /** False if the lists are old or a source has changed since, so that an installation updates them first. */
  readonly fresh: boolean
}

interface Version {
  readonly version: string
  /** The releases that have it, as the sources name them: `bookworm-backports`. Empty if only the host has it. */
  readonly releases: readonly string[]
}

/** One `apt-cache policy` for all packages of a host. */
export const availableVersions = batchRead<string, Available>({
  name: 'versions of packages',
  dependsOn: () => ['/var/lib/dpkg', '/var/lib/apt', '/etc/apt'],
  shared: true,
  script: (names) => sh`! ${FRESH} || echo fresh
LC_ALL=C apt-cache policy -- ${names} 2>/dev/null`,
  parse: ({ stdout }, names) => {
    const lines = stdout.split('\n')
    const fresh = lines.includes('fresh')
    return names.map((name) => ({ ...policyOf(lines, name), fresh }))
  },
  fakeValue: () => ({ versions: [{ version: '1', releases: [] }], candidate: '1', fresh: false }),
})

/** From a paragraph that begins with `nginx:`. */
function policyOf(lines: readonly string[], name: string): Omit<Available, 'fresh'> {
  const begin = lines.findIndex((line) => line === `${name}:` || line === `${bare(name)}:`)
  if (begin === -1) return { versions: [], candidate: undefined }
  const rest = lines.slice(begin + 1)
  const end = rest.findIndex((line) => !line.startsWith(' '))
  const own = end === -1 ? rest : rest.slice(0, end)
  const candidate = own.map((line) => /^ {2}Candidate: (\S+)$/.exec(line)?.[1]).find((one) => one !== undefined)
  const versions: { version: string; releases: string[] }[] = []
  for (const line of own) {
    const version = /^ (?:\*\*\*| {3}) (\S+)(?: |$)/.exec(line)?.[1]
    // `500 http://mirror.example.com/debian bookworm/main amd64 Packages`, or `500 file:/srv/repository ./ Packages`.
    const release = /^ {8,} *-?\d+ \S+ (\S+?)\/\S* /.exec(line)?.[1]
    if (version !== undefined) versions.push({ version, releases: [] })
    else if (release !== undefined) versions.at(-1)?.releases.push(release)
  }
  return { versions, ...(candidate === '(none)' ? { candidate: undefined } : { candidate }) }
}

/** True if the version fits a pattern with `*` for any text. */
export function fitsPattern(version: string, pattern: string): boolean {
  const parts = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${parts.join('.*')}$`).test(version)
}
