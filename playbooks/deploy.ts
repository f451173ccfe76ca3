import {
  type Answers,
  after,
  askEach,
  askHost,
  existingRelease,
  flag,
  type Host,
  mapAnswers,
  markReleaseRolledBack,
  type Play,
  playbook,
} from 'provision-ts'
import { gate, releaseGate } from './gates.ts'
import { leavingOut } from './maintenance-mark.ts'
import { before, built, NONE, type Part, type Released, ROOTS, released } from './releases.ts'
import { site } from './stack.ts'
import { appTier, type Site, webTier } from './tiers.ts'

/**
 * The build of this machine, host by host. A release that does not get ready on a host is taken back there; then the deploy ends,
 * and hosts that had it already go back, too.
 */
export default playbook(
  site,
  (values, { outage }) => {
    const { id } = built('app')
    const options = { serial: 1, outage, release: (_host: Host, part: Part) => known(built(part)) } as const
    const { app } = values
    return [
      leavingOut(values),
      releaseGate('may the deploy begin?', values, { outage }),
      ...appTier(values, { ...options, label: `app: release ${id}` }),
      ...back(values, 'app', 'app'),
      gate(`release ${id} on all app hosts`, app.hosts),
      ...webTier(values, { ...options, label: `web: release ${id}` }),
      ...back(values, 'public', 'public'),
      ...back(values, 'app', 'public'),
    ]
  },
  {
    description:
      'Puts the build of this machine in force, one host at a time: the application, then the pages. A release that does not get ready is taken back everywhere.',
    flags: { outage: flag },
  },
)

function known<T>(value: T): Answers<T> {
  return { asks: [], value: () => value }
}

/** Hosts that have one part of the release go back to what they had, when not all hosts could keep the other, or the same. */
function back(values: Site, part: Part, kept: Part): readonly Play[] {
  const { id } = built(part)
  const all: Readonly<Record<Part, readonly Host[]>> = { app: values.app.hosts, public: values.web.hosts }
  const tier = { app: appTier, public: webTier }[part]
  const earlier = (found: Released | undefined) => before(id, found?.parts[part] ?? NONE)
  return tier(values, {
    label: `${part === 'app' ? 'app' : 'web'}: back to the release before`,
    serial: 1,
    release: (host) => mapAnswers(askHost(host, released), (found) => existingRelease(earlier(found) ?? id)),
    turn: (host, own) =>
      after(askEach({ hosts: all[kept] }, released), (found) =>
        after(askHost(host, released), (here) => {
          const lacks = found.some(({ answer }) => !answer?.away && answer?.parts[kept].current !== id)
          const goes = lacks && here?.parts[part].current === id && earlier(here) !== undefined
          return goes && [markReleaseRolledBack(ROOTS[part], id), own]
        }),
      ),
  })
}
