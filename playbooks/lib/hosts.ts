import { type Host, Problem } from 'provision-ts'
import type { Site } from '../schema.ts'
import { TIERS, type TierName } from './gates.ts'

/** A host and its tier. */
export type TierHost = Host & { readonly group: TierName }

/** The host with this name. @throws Problem if there is none */
export function findHost(values: Site, name: string): TierHost {
  const all = TIERS.flatMap((tier) => values[tier].hosts.map((host): TierHost => ({ ...host, group: tier })))
  const found = all.find((host) => host.name === name)
  if (found) return found
  throw new Problem(`--host: the inventory has no host ${name}`, {
    next: `Its hosts: ${all.map((host) => host.name).join(', ')}.`,
  })
}
