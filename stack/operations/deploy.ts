import {
  type Answers,
  after,
  askEach,
  askHost,
  existingRelease,
  gate,
  type Host,
  mapAnswers,
  markReleaseRolledBack,
  type Play,
  playbook,
} from 'provision-ts'
import { outageFlag, releaseGate } from '../lib/gates.ts'
import { skipMaintenance } from '../lib/maintenance.ts'
import {
  type HostReleases,
  hasPages,
  hostReleases,
  localBuild,
  NO_RELEASES,
  type Part,
  previousRelease,
  rootOf,
} from '../lib/releases.ts'
import { type Site, siteSchema } from '../schema.ts'
import { appTier } from '../tiers/app.ts'
import { webTier } from '../tiers/web.ts'
import { type OperationOptions, type SiteOperation, withOwnPlays } from './operation.ts'

/**
 * Deploys the build of this machine, host by host. A release that does not become ready on a host is rolled back there; then the deploy ends,
 * and the hosts that had it already return to the previous release.
 *
 * @example
 * import { deploy } from 'provision-ts/stack'
 *
 * export default deploy({
 *   before: ({ db }) => [play('before a deploy', { hosts: db }, () => [file('/run/deploy', 'A deploy runs.\n')])],
 * })
 */
export function deploy(own: OperationOptions = {}): SiteOperation {
  return withOwnPlays(
    own,
    playbook(
      siteSchema,
      (values, { outage }) => {
        const { id } = localBuild(values, 'app')
        const options = {
          serial: 1,
          outage,
          release: (_host: Host, part: Part) => known(localBuild(values, part)),
        } as const
        const { app } = values
        return [
          skipMaintenance(values),
          releaseGate('deploy: preconditions', values, { outage }),
          ...appTier(values, { ...options, label: `app: release ${id}` }),
          ...back(values, 'app', 'app'),
          gate(`release ${id} is on all app hosts`, app),
          ...webTier(values, { ...options, label: `web: release ${id}` }),
          ...(hasPages(values) ? [...back(values, 'public', 'public'), ...back(values, 'app', 'public')] : []),
        ]
      },
      {
        description:
          'Deploys the local build, one host at a time: the application, then the pages. A release that does not become ready is rolled back everywhere.',
        flags: { outage: outageFlag },
      },
    ),
  )
}

function known<T>(value: T): Answers<T> {
  return { asks: [], value: () => value }
}

/** Hosts with one part of the release return to their previous one, if not all hosts could keep the release. @param kept the part to compare */
function back(values: Site, part: Part, kept: Part): readonly Play[] {
  const { id } = localBuild(values, part)
  const all: Readonly<Record<Part, readonly Host[]>> = { app: values.app.hosts, public: values.web.hosts }
  const tier = { app: appTier, public: webTier }[part]
  const earlier = (found: HostReleases | undefined) => previousRelease(id, found?.parts[part] ?? NO_RELEASES)
  return tier(values, {
    label: `${part === 'app' ? 'app' : 'web'}: return to the previous release`,
    serial: 1,
    release: (host) =>
      mapAnswers(askHost(host, hostReleases(values)), (found) => existingRelease(earlier(found) ?? id)),
    steps: (host, own) =>
      after(askEach({ hosts: all[kept] }, hostReleases(values)), (found) =>
        after(askHost(host, hostReleases(values)), (here) => {
          const lacks = found.some(({ answer }) => !answer?.inMaintenance && answer?.parts[kept].current !== id)
          const returns = lacks && here?.parts[part].current === id && earlier(here) !== undefined
          return returns && [markReleaseRolledBack(rootOf(values, part), id), own]
        }),
      ),
  })
}
