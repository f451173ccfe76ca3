import { Problem } from '../../model/problem.ts'
import type { Installed } from './state.ts'
import { type Available, fitsPattern } from './versions.ts'

/** The version that a package should have. */
export interface Versioning {
  readonly version?: string | undefined
  readonly from?: string | undefined
  readonly latest?: boolean
  /** Allows an older version than the installed one. */
  readonly downgrade: boolean
}

interface VersionChange {
  /** The version, or the pattern if the lists are too old to know it. */
  readonly to: string
  /** The package with its version, as apt takes it. */
  readonly word: string
}

/**
 * The packages that do not have the version they should have.
 *
 * @throws Problem if no source has it, or if it is older than the installed one
 */
export function versionChanges(
  names: readonly string[],
  packages: readonly Pick<Installed, 'version'>[],
  available: readonly Available[],
  versioning: Versioning | undefined,
): ReadonlyMap<string, VersionChange> {
  if (!versioning) return new Map()
  return new Map(
    names.flatMap((name, i) => {
      const there = available[i] ?? { versions: [], candidate: undefined, fresh: false }
      const change = changeOf(name, packages[i]?.version, there, versioning)
      return change ? [[name, change] as const] : []
    }),
  )
}

function changeOf(
  name: string,
  installed: string | undefined,
  available: Available,
  versioning: Versioning,
): VersionChange | undefined {
  if (installed !== undefined && isWanted(installed, available, versioning)) return undefined
  const wanted = newest(available, versioning)
  if (wanted === undefined) {
    if (available.fresh) throw notAvailable(name, available, versioning)
    const { version, from } = versioning
    return {
      to: version ?? (from === undefined ? 'newest' : `newest of ${from}`),
      word: version === undefined ? name : `${name}=${version}`,
    }
  }
  if (wanted === installed) return undefined
  const age = (version: string | undefined) => available.versions.findIndex((one) => one.version === version)
  if (installed !== undefined && age(wanted) > age(installed) && !versioning.downgrade) {
    if (versioning.latest) return undefined
    throw new Problem(`${name} ${wanted} is older than the installed version ${installed}`, {
      next: 'Change the version, or add { downgrade: true }: a package may not be able to read the data of a newer version.',
    })
  }
  return { to: wanted, word: `${name}=${wanted}` }
}

function isWanted(installed: string, { versions }: Available, { version, from, latest }: Versioning): boolean {
  if (latest) return false
  if (version !== undefined && !fitsPattern(installed, version)) return false
  if (from === undefined) return true
  const { releases = [] } = versions.find((one) => one.version === installed) ?? {}
  return releases.length === 0 ? versions.length > 0 : releases.includes(from)
}

function newest({ versions, candidate }: Available, { version, from, latest }: Versioning): string | undefined {
  if (latest) return candidate
  return versions.find(
    (one) =>
      one.releases.length > 0 &&
      (version === undefined || fitsPattern(one.version, version)) &&
      (from === undefined || one.releases.includes(from)),
  )?.version
}

function notAvailable(name: string, { versions }: Available, { version, from }: Versioning): Problem {
  const wanted = [name, ...(version === undefined ? [] : [version])].join(' ')
  const offered = versions.flatMap((one) =>
    one.releases.length === 0 ? [] : [`${one.version} from ${[...new Set(one.releases)].join(', ')}`],
  )
  return new Problem(`the package sources of the host have no ${wanted}${from === undefined ? '' : ` from ${from}`}`, {
    details: offered,
    next: 'Correct the version or the release, or add a source that has it, in a step before this one.',
  })
}
