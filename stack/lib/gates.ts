import {
  type Answers,
  ask,
  askHost,
  flag,
  gate,
  type Host,
  mapAnswers,
  type Play,
  type Probe,
  Problem,
  type Question,
  read,
  sh,
  withDescription,
} from 'provision-ts'
import { appReadiness } from '../../roles/app/index.ts'
import { haproxyReadiness } from '../../roles/haproxy/index.ts'
import { nginxReadiness } from '../../roles/nginx/index.ts'
import { postgresReadiness } from '../../roles/postgres/lib/readiness.ts'
import { readyPath } from '../application.ts'
import type { Site } from '../schema.ts'
import { MAINTENANCE_FILE } from './maintenance.ts'

export const TIERS = ['lb', 'web', 'app', 'db'] as const

export type TierName = (typeof TIERS)[number]

/** The state of a host in its tier. */
export interface HostState {
  readonly ready: boolean
  readonly maintenance: boolean
}

export interface TierHostState {
  readonly host: Host
  /** Undefined if the host is not reachable. */
  readonly state: HostState | undefined
}

/** A condition of a gate. */
export type Condition = Answers<Problem | undefined> | false

/** Checks that the release of the application can change on all hosts, one by one. @param conditions further ones */
export function releaseGate(
  label: string,
  values: Site,
  { outage, conditions = [] }: { readonly outage: boolean; readonly conditions?: readonly Condition[] },
): Play {
  const { app, web } = values
  return gate(
    label,
    { hosts: [...app.hosts, ...web.hosts] },
    ...conditions,
    requireSpareHost(values, 'app', { outage }),
    requireSpareHost(values, 'web', { outage }),
  )
}

/** The flag of operations that take a host out of service. */
export const outageFlag = withDescription('continue although the service is interrupted', flag)

interface AvailabilityOptions {
  /** The host that leaves the service. @default any of the tier */
  readonly host?: Host
  /** True if the operator accepts an interruption of the service. @default false */
  readonly outage?: boolean
}

/** Requires that another host of the tier stays in service while one is out of service. */
export function requireSpareHost(
  values: Site,
  tier: TierName,
  { host, outage = false }: AvailabilityOptions = {},
): Condition {
  return !outage && mapAnswers(tierState(values, tier), (all) => lastHostProblem(tier, all, host))
}

/** Requires that a replica stays in service while a database host is out of service, if `synchronous` is strict. */
export function requireReplicaLeft(values: Site, { host, outage = false }: AvailabilityOptions = {}): Condition {
  return (
    !outage &&
    values.synchronous === 'strict' &&
    mapAnswers(tierState(values, 'db'), (all) => noReplicaLeftProblem(all, host))
  )
}

/** Returns the reason why no replica can be taken out of service, if a write needs the primary and one more. */
export function noReplicaLeftProblem(all: readonly TierHostState[], away?: Host): Problem | undefined {
  const inService = all.filter(({ state }) => state?.ready && !state.maintenance)
  const left = inService.filter(({ host }) => host.name !== away?.name)
  if (left.length - (away ? 0 : 1) >= 2 || (away && left.length === inService.length)) return undefined
  return new Problem('No replica would be left, and writes would wait: synchronous is strict', {
    details: all.map((one) => `${one.host.name} ${words(one)}`),
    next: 'Nothing was changed. Bring another replica into service, or set synchronous: true and run provision, or use --outage.',
  })
}

/** Returns the reason why no host of the tier can be taken out of service. Undefined also if none is in service. */
export function lastHostProblem(tier: TierName, all: readonly TierHostState[], away?: Host): Problem | undefined {
  const inService = all.filter(({ state }) => state?.ready && !state.maintenance)
  const left = inService.filter(({ host }) => host.name !== away?.name)
  if (inService.length === 0 || left.length > (away ? 0 : 1)) return undefined
  if (away && left.length === inService.length) return undefined
  const [last] = inService
  return new Problem(`${last?.host.name} is the last host of ${tier} in service`, {
    details: all.map((one) => `${one.host.name} ${words(one)}`),
    next:
      all.length > 1
        ? 'Nothing was changed. Bring another host back into service first, or use --outage to accept an interruption.'
        : 'Nothing was changed. Use --outage to accept an interruption.',
  })
}

/** The state of each host of the tier. */
function tierState(values: Site, tier: TierName): Answers<readonly TierHostState[]> {
  const asked = questions(values, tier).map(({ host, question }) => ({
    host,
    answer: askHost(host, question),
  }))
  return {
    asks: asked.flatMap(({ answer }) => answer.asks),
    value: (answerTo) => asked.map(({ host, answer }) => ({ host, state: answer.value(answerTo) })),
  }
}

function questions({ lb, web, app, db, application }: Site, tier: TierName) {
  const all = {
    lb: () => lb.hosts.map((host) => ({ host, question: stateOf(haproxyReadiness(host)) })),
    web: () => web.hosts.map((host) => ({ host, question: stateOf(nginxReadiness(host)) })),
    app: () => app.hosts.map((host) => ({ host, question: stateOf(appReadiness(host, readyPath(application))) })),
    db: () => db.hosts.map((host) => ({ host, question: stateOf(postgresReadiness(host)) })),
  }
  return all[tier]()
}

/** Waits up to three seconds for a service that is starting. */
function stateOf({ label, script }: Probe): Question<HostState> {
  return ask(
    label,
    read(
      sh`[ ! -e ${MAINTENANCE_FILE} ] || echo maintenance
for try in 1 2 3 4; do
  ( ${script} ) >/dev/null 2>&1 </dev/null && { echo ready; break; }
  [ "$try" = 4 ] || sleep 1
done`,
      ({ stdout }) => ({ ready: stdout.includes('ready'), maintenance: stdout.includes('maintenance') }),
    ),
  )
}

function words({ state }: TierHostState): string {
  if (!state) return 'is not reachable'
  if (state.maintenance) return 'is in maintenance'
  return state.ready ? 'is in service' : 'is not ready'
}
