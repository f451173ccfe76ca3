import {
  type Answers,
  after,
  ask,
  askHost,
  flag,
  type Host,
  type Play,
  type Probe,
  Problem,
  play,
  type Question,
  read,
  type Steps,
  sh,
  withDescription,
} from 'provision-ts'
import { appReadiness } from '../../roles/app/index.ts'
import { haproxyReadiness } from '../../roles/haproxy/index.ts'
import { nginxReadiness } from '../../roles/nginx/index.ts'
import { postgresReadiness } from '../../roles/postgres/lib/readiness.ts'
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
  /** Undefined when it could not be reached. */
  readonly state: HostState | undefined
}

/**
 * A play that changes nothing and comes first: what a host of it refuses, and one that cannot be reached, ends the run before
 * anything is touched.
 */
export function gate(label: string, hosts: readonly Host[], steps: Steps = []): Play {
  return play(label, { hosts: { hosts }, anyErrorsFatal: true }, () => steps)
}

/** Checks that the release of the application can change on all hosts, one by one. @param steps further conditions */
export function releaseGate(
  label: string,
  values: Site,
  { outage, steps = [] }: { readonly outage: boolean; readonly steps?: Steps },
): Play {
  const { app, web } = values
  return gate(
    label,
    [...app.hosts, ...web.hosts],
    [steps, requireSpareHost(values, 'app', { outage }), requireSpareHost(values, 'web', { outage })],
  )
}

/** No steps, but a refusal when there is one. The first host that is asked to tells it, for all of them. */
export function refuseIf<T>(answers: Answers<T>, refusal: (value: T) => Problem | undefined): Steps {
  let reported = false
  return after(answers, (value) => {
    const problem = reported ? undefined : refusal(value)
    if (!problem) return []
    reported = true
    throw problem
  })
}

/** The flag of operations that take a host out of service. */
export const outageFlag = withDescription('continue although the service is interrupted', flag)

export interface AvailabilityOptions {
  /** The one that will be away; any of them by default. */
  readonly host?: Host
  /** True if the operator accepts an interruption of the service. @default false */
  readonly outage?: boolean
}

/** Refuses when, with one host of the tier away, no other would be in service. */
export function requireSpareHost(
  values: Site,
  tier: TierName,
  { host, outage = false }: AvailabilityOptions = {},
): Steps {
  return !outage && refuseIf(tierState(values, tier), (all) => lastHostProblem(tier, all, host))
}

/** @returns why no host of the tier can be taken out of service; where none is in service, there is nothing to lose */
export function lastHostProblem(tier: TierName, all: readonly TierHostState[], away?: Host): Problem | undefined {
  const inService = all.filter(({ state }) => state?.ready && !state.maintenance)
  const left = inService.filter(({ host }) => host.name !== away?.name)
  if (inService.length === 0 || left.length > (away ? 0 : 1)) return undefined
  if (away && left.length === inService.length) return undefined
  const [last] = inService
  return new Problem(`${last?.host.name} is the last host of ${tier} in service, and would be away for a time`, {
    details: all.map((one) => `${one.host.name} ${words(one)}`),
    next:
      all.length > 1
        ? 'Nothing was done. Bring another one back into service first, or say --outage to go on without service.'
        : 'Nothing was done. Say --outage to go on without service for a time.',
  })
}

/** The state of each host of the tier. */
export function tierState(values: Site, tier: TierName): Answers<readonly TierHostState[]> {
  const asked = questions(values, tier).map(({ host, question }) => ({
    host,
    answer: askHost(host, question),
  }))
  return {
    asks: asked.flatMap(({ answer }) => answer.asks),
    value: (answerTo) => asked.map(({ host, answer }) => ({ host, state: answer.value(answerTo) })),
  }
}

function questions({ lb, web, app, db }: Site, tier: TierName) {
  const all = {
    lb: () => lb.hosts.map((host) => ({ host, question: stateOf(haproxyReadiness(host)) })),
    web: () => web.hosts.map((host) => ({ host, question: stateOf(nginxReadiness(host)) })),
    app: () => app.hosts.map((host) => ({ host, question: stateOf(appReadiness(host)) })),
    db: () => db.hosts.map((host) => ({ host, question: stateOf(postgresReadiness(host)) })),
  }
  return all[tier]()
}

/** A service that is just being started gets three seconds. */
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
  if (!state) return 'cannot be reached'
  if (state.maintenance) return 'is in maintenance'
  return state.ready ? 'is in service' : 'is not ready'
}
