import { ask, mapRead } from 'provision-ts'
import type { PostgresParams } from '../params.ts'
import { literal, queryRow } from './psql.ts'
import { LIMIT_NAMES, type Limits, limitsFor } from './settings.ts'

/** The limits of a server that a replica must reach; undefined if no server answers. */
export const serverLimits = ask(
  'the limits of its database server',
  mapRead(
    queryRow<{ readonly all: Limits }>(
      `select jsonb_object_agg(name, setting::int) as all from pg_settings where name in (${LIMIT_NAMES.map(literal).join(', ')})`,
    ),
    (found) => found?.all,
  ),
)

/** True if a limit of the primary increases. Then replicas change first; otherwise the primary does. */
export function raisesLimits(params: Pick<PostgresParams, 'settings'>, primary: Limits | undefined): boolean {
  const wanted = limitsFor(params)
  return primary !== undefined && LIMIT_NAMES.some((name) => wanted[name] > primary[name])
}
