import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  type Answers,
  ask,
  askEach,
  askHost,
  type Build,
  build,
  existingRelease,
  type Host,
  mapAnswers,
  mapRead,
  type Releases,
  readBoth,
  releasesAt,
} from 'provision-ts'
import { maintenanceSince } from './maintenance.ts'

/** The two halves of a release of the application: what the app hosts run, and what the web hosts show. */
export type Part = 'app' | 'public'

/** The directory of a part's releases on its hosts. */
export const ROOTS = { app: '/srv/notes', public: '/srv/www' } as const

/**
 * A part of the application as its build on this machine has left it. Both parts bear the id of the whole: they are deployed, and
 * go back, together.
 */
export function localBuild(part: Part): Build {
  const { id } = build(BUILD_DIRECTORY, HINT)
  return { ...build(join(BUILD_DIRECTORY, part), HINT), id }
}

/** Written by `node scripts/example.js`. */
export const BUILD_DIRECTORY = fileURLToPath(new URL('../../examples/notes-api/dist', import.meta.url))

const HINT = 'Build the application first: node scripts/example.js'

/** The releases on a host. */
export interface HostReleases {
  readonly parts: Readonly<Record<Part, Releases>>
  /** True if the host is in maintenance mode: a deploy skips it. */
  readonly inMaintenance: boolean
}

export const hostReleases = ask(
  'its releases',
  mapRead(
    readBoth(readBoth(releasesAt(ROOTS.app), releasesAt(ROOTS.public)), maintenanceSince.read),
    ([[app, files], away]): HostReleases => ({
      parts: { app, public: files },
      inMaintenance: away !== undefined,
    }),
  ),
)

/** The build on this machine; or, if the operator rolled back exactly that build, the release of the host. */
export function releaseToDeploy(host: Host, part: Part): Answers<Build> {
  return mapAnswers(askHost(host, hostReleases), (found) => {
    const { current, all } = found?.parts[part] ?? NO_RELEASES
    const here = localBuild(part)
    const out = current !== here.id && all.find(({ id }) => id === here.id)?.state === 'rolled back'
    return out && current !== undefined ? existingRelease(current) : here
  })
}

/** Keeps the release of the host, for operations that do not change it. */
export function currentRelease(host: Host, part: Part): Answers<Build> {
  return mapAnswers(askHost(host, hostReleases), (found) => {
    const current = found?.parts[part].current
    return current === undefined ? localBuild(part) : releaseOf(current, part)
  })
}

/** The release of the other hosts, for a host that was away; without other hosts, its own. */
export function releaseOfPeers(others: readonly Host[]): (host: Host, part: Part) => Answers<Build> {
  return (host, part) =>
    others.length === 0
      ? currentRelease(host, part)
      : mapAnswers(askEach({ hosts: others }, hostReleases), (found) => {
          const theirs = found.find(({ answer }) => answer && !answer.inMaintenance)?.answer?.parts[part].current
          return theirs === undefined ? localBuild(part) : releaseOf(theirs, part)
        })
}

/** From this machine, if it is the build that is here. */
function releaseOf(id: string, part: Part): Build {
  const here = localBuild(part)
  return here.id === id ? here : existingRelease(id)
}

/** The release that was active before this one and is still there. */
export function previousRelease(id: string, { all }: Releases): string | undefined {
  return all.find((one) => one.state === 'used' && one.id !== id)?.id
}

export const NO_RELEASES: Releases = { current: undefined, all: [] }
