import { join } from 'node:path'
import {
  type AbsolutePath,
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
  type Question,
  type Releases,
  readBoth,
  releasesAt,
} from 'provision-ts'
import type { Site } from '../schema.ts'
import { maintenanceSince } from './maintenance.ts'

/** The two halves of a release of the application: what the app hosts run, and what the web hosts show. */
export type Part = 'app' | 'public'

/** The values that releases depend on. */
export type Releasing = Pick<Site, 'application'>

/** The directory of a part's releases on its hosts. */
export function rootOf({ application }: Releasing, part: Part): AbsolutePath {
  return part === 'app' ? `/srv/${application.name}` : '/srv/www'
}

/** True if the web hosts have static files of the application. */
export function hasPages({ application }: Releasing): boolean {
  return application.build.static !== undefined
}

/**
 * A part of the application as its build on this machine has left it. Both parts have the id of the whole: they are deployed, and
 * go back, together.
 */
export function localBuild({ application }: Releasing, part: Part): Build {
  const known = BUILDS.get(application)
  if (known) return known[part]
  const { directory, app = '.', static: pages = '.' } = application.build
  const whole = build(directory, HINT)
  const partOf = (folder: string) =>
    folder === '.' ? whole : { ...build(join(directory, folder), HINT), id: whole.id }
  const parts = { app: partOf(app), public: partOf(pages) }
  BUILDS.set(application, parts)
  return parts[part]
}

/** A folder is read and hashed once for each inventory. */
const BUILDS = new WeakMap<Site['application'], Readonly<Record<Part, Build>>>()

const HINT = 'Build the application first, or correct application.build in the inventory.'

/** The releases on a host. */
export interface HostReleases {
  readonly parts: Readonly<Record<Part, Releases>>
  /** True if the host is in maintenance mode: a deploy skips it. */
  readonly inMaintenance: boolean
}

/** The question for the releases of a host. */
export function hostReleases(values: Releasing): Question<HostReleases> {
  const { name } = values.application
  const known = QUESTIONS.get(name)
  if (known) return known
  const question = ask(
    'its releases',
    mapRead(
      readBoth(
        readBoth(releasesAt(rootOf(values, 'app')), releasesAt(rootOf(values, 'public'))),
        maintenanceSince.read,
      ),
      ([[app, files], away]): HostReleases => ({
        parts: { app, public: files },
        inMaintenance: away !== undefined,
      }),
    ),
  )
  QUESTIONS.set(name, question)
  return question
}

/** A host answers the same question once. */
const QUESTIONS = new Map<string, Question<HostReleases>>()

/** The release of a part for a host. */
export type ReleaseOf = (host: Host, part: Part) => Answers<Build>

/** The build on this machine; or, if the operator rolled back exactly that build, the release of the host. */
export function releaseToDeploy(values: Releasing): ReleaseOf {
  return (host, part) =>
    mapAnswers(askHost(host, hostReleases(values)), (found) => {
      const { current, all } = found?.parts[part] ?? NO_RELEASES
      const here = localBuild(values, part)
      const out = current !== here.id && all.find(({ id }) => id === here.id)?.state === 'rolled back'
      return out && current !== undefined ? existingRelease(current) : here
    })
}

/** Keeps the release of the host, for operations that do not change it. */
export function currentRelease(values: Releasing): ReleaseOf {
  return (host, part) =>
    mapAnswers(askHost(host, hostReleases(values)), (found) => {
      const current = found?.parts[part].current
      return current === undefined ? localBuild(values, part) : releaseOf(values, current, part)
    })
}

/** The release of the other hosts, for a host that was away; without other hosts, its own. */
export function releaseOfPeers(values: Releasing, others: readonly Host[]): ReleaseOf {
  return (host, part) =>
    others.length === 0
      ? currentRelease(values)(host, part)
      : mapAnswers(askEach({ hosts: others }, hostReleases(values)), (found) => {
          const theirs = found.find(({ answer }) => answer && !answer.inMaintenance)?.answer?.parts[part].current
          return theirs === undefined ? localBuild(values, part) : releaseOf(values, theirs, part)
        })
}

/** From this machine, if it is the build that is here. */
function releaseOf(values: Releasing, id: string, part: Part): Build {
  const here = localBuild(values, part)
  return here.id === id ? here : existingRelease(id)
}

/** The release that was active before this one and is still there. */
export function previousRelease(id: string, { all }: Releases): string | undefined {
  return all.find((one) => one.state === 'used' && one.id !== id)?.id
}

export const NO_RELEASES: Releases = { current: undefined, all: [] }
