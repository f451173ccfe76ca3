import { ask, mapRead } from 'provision-ts'
import type { PostgresParams } from '../params.ts'
import { literal, queryRow } from './psql.ts'
import { LIMIT_NAMES, type Limits, limitsFor } from './settings.ts'

/** What a server has of what its replicas may not have less of; undefined while none answers. */
export const serverLimits = ask(
  'its limits',
  mapRead(
    queryRow<{ readonly all: Limits }>(
      `select jsonb_object_agg(name, setting::int) as all from pg_settings where name in (${LIMIT_NAMES.map(literal).join(', ')})`,
    ),
    (found) => found?.all,
  ),
)

/** Whether the primary is going to have more of something: then its replicas come first. For less it goes first itself. */
export function raisesLimits(params: Pick<PostgresParams, 'settings'>, primary: Limits | undefined): boolean {
  const wanted = limitsFor(params)
  return primary !== undefined && LIMIT_NAMES.some((name) => wanted[name] > primary[name])
}
