import { type Host, Problem } from 'provision-ts'
import { TIERS, type TierName } from './gates.ts'
import type { Site } from './tiers.ts'

/** A host and the tier that it stands in. */
export type Placed = Host & { readonly group: TierName }

/** The host of this name. @throws Problem when there is none */
export function named(values: Site, name: string): Placed {
  const all = TIERS.flatMap((tier) => values[tier].hosts.map((host): Placed => ({ ...host, group: tier })))
  const found = all.find((host) => host.name === name)
  if (found) return found
  throw new Problem(`--host: there is no host ${name}`, {
    next: `There are ${all.map((host) => host.name).join(', ')}.`,
  })
}
