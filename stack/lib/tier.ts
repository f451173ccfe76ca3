import {
  ask,
  type FirewallOptions,
  type FirewallRule,
  type Host,
  type Question,
  read,
  type Steps,
  sh,
} from 'provision-ts'
import { MONITORING_PORTS } from '../../roles/monitoring/index.ts'
import type { Site } from '../schema.ts'
import type { ReleaseOf } from './releases.ts'

/** The ways in which an operation runs a tier of the site differently. */
export interface TierOptions {
  /** @default the name of the tier */
  readonly label?: string
  /** Hosts that change at the same time. @default first one, then half of them */
  readonly serial?: 1
  /** The release of the application for a host. @default the build on this machine, unless a user has rolled it back */
  readonly release?: ReleaseOf
  /** The steps of a host. @param siteSteps those of the site @default those of the site */
  readonly steps?: (host: Host, siteSteps: Steps) => Steps
  /** Changes the last host in service too, and drains none. @default false */
  readonly outage?: boolean
}

/** The ways in which an operation runs the load balancers differently. */
export interface BalancerOptions extends Pick<TierOptions, 'label' | 'steps'> {
  /** A peer holds the virtual IP address while a host changes. Set it for changes that are more than a reload. @default false */
  readonly moveVip?: boolean
}

/** One host first, then half of the hosts at a time. */
export const CANARY = [1, '50%'] as const

/** The steps of the site, unchanged. */
export const siteSteps = (_host: Host, steps: Steps): Steps => steps

/** True if the unit is not active, so the host serves no traffic. */
export function isStopped(unit: string): Question<boolean> {
  return ask(
    `is ${unit} stopped?`,
    read(sh`systemctl is-active -q ${unit}`, ({ code }) => code !== 0),
  )
}

type Readers = Pick<Site, 'admins' | 'monitoring'>

/** The networks that may read metrics and statistics: those of administrators, and the monitoring host. Undefined if there are none. */
export function readersOf({ admins = [], monitoring }: Readers): readonly string[] | undefined {
  const own = monitoring.hosts.map(({ address }) => `${address}/${address.includes(':') ? 128 : 32}`)
  const all = [...admins, ...own]
  return all.length === 0 ? undefined : all
}

/** Opens a port of metrics or statistics to those that may read them. */
export function fromReaders(port: number, values: Readers): readonly FirewallRule[] {
  const readers = readersOf(values)
  return readers === undefined ? [] : [{ port, from: readers.map((address) => ({ address })) }]
}

/** Opens the ports of exporters to the monitoring host: that of the node exporter, and further ones. */
export function fromMonitoring(
  { monitoring }: Pick<Site, 'monitoring'>,
  ...ports: readonly number[]
): readonly FirewallRule[] {
  return monitoring.hosts.length === 0 ? [] : [{ port: [MONITORING_PORTS.node, ...ports], from: monitoring.hosts }]
}

/** Opens SSH to the networks of administrators, or to all if the inventory names none. */
export function sshFor(admins: Site['admins']): FirewallOptions {
  return { ssh: admins ?? 'anywhere' }
}
