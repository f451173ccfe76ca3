import {
  type Answers,
  after,
  askEach,
  askHost,
  existingRelease,
  gate,
  type Host,
  type HostAnswer,
  mapAnswers,
  markReleaseRolledBack,
  optional,
  Problem,
  playbook,
  text,
  withDescription,
} from 'provision-ts'
import { outageFlag, releaseGate } from '../lib/gates.ts'
import { skipMaintenance } from '../lib/maintenance.ts'
import { type HostReleases, hasPages, hostReleases, NO_RELEASES, type Part, rootOf } from '../lib/releases.ts'
import type { TierOptions } from '../lib/tier.ts'
import { type Site, siteSchema } from '../schema.ts'
import { appTier } from '../tiers/app.ts'
import { webTier } from '../tiers/web.ts'
import { type OperationOptions, type SiteOperation, withOwnPlays } from './operation.ts'

/**
 * Returns the application and its pages to an earlier release that the hosts still have.
 *
 * @example
 * import { rollback } from 'provision-ts/stack'
 *
 * export default rollback()
 */
export function rollback(own: OperationOptions = {}): SiteOperation {
  return withOwnPlays(
    own,
    playbook(
      siteSchema,
      (values, { to, outage }) => {
        const target = targetOf(values, to)
        // The gate alone reports that there is none, once for all hosts.
        const id = mapAnswers(target, (found) => (found instanceof Problem ? undefined : found))
        const { app } = values
        const options = (label: string): TierOptions => ({
          label,
          serial: 1,
          outage,
          release: () => mapAnswers(id, (found) => existingRelease(String(found))),
          steps: (host, own) =>
            after(askHost(host, hostReleases(values)), (releases) =>
              after(id, (found) => found !== undefined && [replaced(values, releases, found), own]),
            ),
        })
        return [
          skipMaintenance(values),
          releaseGate('rollback: preconditions', values, {
            outage,
            conditions: [mapAnswers(target, (found) => (found instanceof Problem ? found : undefined))],
          }),
          ...appTier(values, options('app: earlier release')),
          gate('the release is on all app hosts', app),
          ...(hasPages(values) ? webTier(values, options('web: earlier release')) : []),
        ]
      },
      {
        description:
          'Returns to an earlier release that the hosts still have, one host at a time. Runs of the site keep it until the next deploy.',
        flags: {
          to: withDescription('the release; default: the previous one', optional(text)),
          outage: outageFlag,
        },
      },
    ),
  )
}

/** The release that every host has and that was active before this one; or why there is none. */
function targetOf(values: Site, to: string | undefined): Answers<string | Problem> {
  const { app, web } = values
  const part = (host: Host): Part => (host.group === app.name ? 'app' : 'public')
  const hosts: readonly Host[] = [...app.hosts, ...(hasPages(values) ? web.hosts : [])]
  return mapAnswers(askEach({ hosts }, hostReleases(values)), (all) =>
    chooseRelease(
      all.filter(({ answer }) => !answer?.inMaintenance).map((one) => ({ host: one.host, ...partOf(one, part) })),
      to,
    ),
  )
}

function partOf({ host, answer }: HostAnswer<HostReleases>, part: (host: Host) => Part) {
  return answer?.parts[part(host)] ?? NO_RELEASES
}

interface Having {
  readonly host: Pick<Host, 'name'>
  readonly current: string | undefined
  readonly all: readonly { readonly id: string; readonly state: 'used' | 'rolled back' | undefined }[]
}

/**
 * @param to the requested release; otherwise the last active one before this one
 * @returns why there is none, when not every host has it
 */
export function chooseRelease(all: readonly Having[], to?: string): string | Problem {
  const details = all.map(({ host, current = 'none', ...one }) => {
    const others = one.all
      .filter(({ id }) => id !== current)
      .map(({ id, state }) => `${id}${state ? '' : ' (never active)'}`)
    return `${host.name} runs ${current}${others.length > 0 ? `, and ${others.join(', ')}` : ', and no other'}`
  })
  const everywhere = (id: string) => all.every((one) => one.all.some((release) => release.id === id))
  if (to !== undefined) {
    if (everywhere(to)) return to
    return new Problem(`Not every host has release ${to}`, {
      details,
      next: 'Nothing was changed. Use a release that all hosts have, or build it and deploy.',
    })
  }
  const active = [...new Set(all.map(({ current }) => current))]
  // An interrupted rollback has marked its release as rolled back on some hosts.
  const notRolledBack = active.filter(
    (id) => !all.some((one) => one.all.some((is) => is.id === id && is.state === 'rolled back')),
  )
  const [target] = notRolledBack
  if (active.length > 1 && notRolledBack.length === 1 && target !== undefined && everywhere(target)) return target
  if (active.length > 1)
    return new Problem('The hosts do not run the same release, so it is not clear which one was before', {
      details,
      next: 'Nothing was changed. Use --to with a release, or deploy.',
    })
  const [first] = all
  const found = first?.all.find(({ id, state }) => state === 'used' && !active.includes(id) && everywhere(id))
  if (found) return found.id
  return new Problem('There is no earlier release that all hosts still have', {
    details,
    next: 'Nothing was changed. Build the release and deploy it.',
  })
}

/** The release that is left behind is recorded as rolled back by the operator. */
function replaced(values: Site, found: HostReleases | undefined, id: string) {
  return PARTS.flatMap((part) => {
    const { current } = found?.parts[part] ?? NO_RELEASES
    return current === undefined || current === id ? [] : [markReleaseRolledBack(rootOf(values, part), current)]
  })
}

const PARTS: readonly Part[] = ['app', 'public']
