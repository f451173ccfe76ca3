import { type Host, Problem } from 'provision-ts'
import type { Site } from '../schema.ts'
import { TIERS, type TierName } from './gates.ts'

/** A host of a tier, or the witness. */
export type SiteHost = Host & { readonly group: TierName | 'witness' }

/** The host with this name. @throws Problem if there is none */
export function findHost(values: Site, name: string): SiteHost {
  const groups = [...TIERS, 'witness'] as const
  const all = groups.flatMap((group) => values[group].hosts.map((host): SiteHost => ({ ...host, group })))
  const found = all.find((host) => host.name === name)
  if (found) return found
  throw new Problem(`--host: the inventory has no host ${name}`, {
    next: `Its hosts: ${all.map((host) => host.name).join(', ')}.`,
  })
}
