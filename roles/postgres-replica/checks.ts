import { askEach, type Check, expect, type Group, Unknown } from 'provision-ts'
import {
  type DatabaseHost,
  type Found,
  judged,
  primariesIn,
  SEE_LOGS,
  type ServerHealth,
  servers,
  unanswered,
} from '../postgres/checks.ts'
import { health } from '../postgres/lib/health.ts'

/** Maximum lag of a replica in bytes: a segment of WAL. */
const MAX_LAG = 16 * 1024 * 1024

/** Checks that all other hosts follow the primary closely. */
export function postgresReplicaChecks(db: Group<DatabaseHost>): readonly Check[] {
  const all = askEach(db, health)
  return [
    expect('all replicas of the inventory are connected to the primary', all, allConnected, SEE_LOGS),
    expect('all replicas stream from the primary', all, judged(streams), SEE_LOGS),
    expect('no replica is more than 16 MiB behind', all, judged(smallLag), { ...SEE_LOGS, says: lag }),
  ]
}

/** Detects a frozen or lost replica, also if it does not answer. */
export function allConnected(found: readonly Found[]): string | Unknown | undefined {
  const [primary] = primariesIn(found)
  if (!primary) return unanswered(found) ?? new Unknown('no host is the primary')
  const seen = primary.replicas.map(({ name }) => name)
  const missing = found.flatMap(({ host }) =>
    host.name === primary.host.name || seen.includes(host.name) ? [] : [host.name],
  )
  return missing.length > 0 ? `${primary.host.name} has no connection from ${missing.join(', ')}` : undefined
}

export function streams({ host, standby, receives }: ServerHealth, all: readonly ServerHealth[]): readonly string[] {
  if (!standby) return []
  const primary = all.find((one) => !one.standby)
  if (receives?.state !== 'streaming') return [`${host.name} receives no WAL`]
  return primary && receives.from !== primary.host.address
    ? [`${host.name} receives from ${receives.from}, and ${primary.host.name} is the primary`]
    : []
}

export function smallLag({ replicas }: ServerHealth): readonly string[] {
  return replicas.flatMap(({ name, behind }) =>
    behind > MAX_LAG ? [`${name} is ${Math.ceil(behind / 1024 / 1024)} MiB behind`] : [],
  )
}

/** Describes the lag of each replica. */
function lag(found: readonly Found[]): string {
  return servers(found)
    .flatMap(({ replicas }) => replicas)
    .map(({ name, behind }) => `${name} is ${(behind / 1024 / 1024).toFixed(1)} MiB behind`)
    .join(', ')
}
