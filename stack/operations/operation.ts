import type { Play, Playbook } from 'provision-ts'
import type { Site, siteSchema } from '../schema.ts'

/** An operation of the site, as a playbook exports it. */
export type SiteOperation = Playbook<(typeof siteSchema)['entries']>

/** The options that all operations have. */
export interface OperationOptions {
  /** Plays of your own before those of the operation. @default none */
  readonly before?: (values: Site) => readonly Play[]
  /** Plays of your own after those of the operation. A host that failed does not run them. @default none */
  readonly after?: (values: Site) => readonly Play[]
}

/** The operation with the plays of its options. */
export function withOwnPlays(
  { before = none, after = none }: OperationOptions,
  operation: SiteOperation,
): SiteOperation {
  return Object.freeze({
    ...operation,
    plays: (values: Site, given?: Parameters<SiteOperation['plays']>[1]) => [
      ...before(values),
      ...operation.plays(values, given),
      ...after(values),
    ],
  })
}

const none = (): readonly Play[] => []
