/** Declarations that examples in comments and pages use: hosts, a schema, a few roles. Only the types matter: none of it runs. */

import type { PostgresParams } from '../../roles/postgres/params.ts'
import type {
  Drain,
  Group,
  Host,
  Inventory,
  InventorySchema,
  KeyPair,
  Playbook,
  Probe,
  Question,
  Role,
  Secret,
  Step,
} from '../../src/index.ts'
import { hostname, hosts, integer, inventorySchema, optional } from '../../src/index.ts'
import type { Lab } from '../../src/lab/index.ts'

export { postgresReplication } from '../../roles/postgres/index.ts'
export { primaryOf } from '../../roles/postgres/lib/primary.ts'
export { postgresPrimary } from '../../roles/postgres-primary/index.ts'
export { postgresReplica } from '../../roles/postgres-replica/index.ts'

interface Database {
  readonly certificate: KeyPair
  readonly seed: boolean
}

export declare const web: Group<Host<{ readonly port: number; readonly workers?: number }>>
export declare const app: Group<Host>
export declare const db: Group<Host<Database>>
export declare const lb: Group<Host>
export declare const balancers: Group<Host>
export declare const host: Host
export declare const prod: Inventory
export declare const sitePlaybook: Playbook
export declare const db1: Host
export declare const db2: Host
export const ours = inventorySchema({
  domain: hostname,
  web: hosts({ workers: optional(integer({ min: 1 })) }),
})
export declare const site: InventorySchema<Record<never, never>>
export declare const lab: Lab

export declare const nginx: Role<{ readonly listen: { readonly address: string } }>
export declare const pages: Role<{ readonly domain: string; readonly workers?: number }>
export declare const motd: Role<{ readonly text: string }>
export declare const common: (host: Host<Database>) => PostgresParams
export declare const migrated: Step
export declare const drainFrom: (balancers: Group, backend: string) => Drain
export declare const readiness: (host: Host) => Probe
export declare const isPrimary: Question<boolean>
export declare const password: Secret
export declare const certificate: KeyPair
export declare const pair: (host: string) => KeyPair
export declare const conf: string
export declare const owner: string
export declare const directories: readonly string[]
export declare const url: string
