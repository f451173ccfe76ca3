import { ask, mapRead } from 'provision-ts'
import { queryRow } from './psql.ts'

/** The replicas of which a commit waits for one. Empty: it waits for none. Undefined if no server answers, or if any replica will do. */
export const waitsFor = ask(
  'the replicas that commits wait for',
  mapRead(
    queryRow<{ readonly names: string }>("select current_setting('synchronous_standby_names') as names"),
    (found) => found && namesIn(found.names),
  ),
)

/** Parses `ANY 1 ("db2", "db3")`, or `db2`. With `*`, as Patroni sets it in strict mode, any replica will do. */
export function namesIn(setting: string): readonly string[] | undefined {
  if (setting === '*') return undefined
  const [, list = setting] = /\(([^)]*)\)/.exec(setting) ?? []
  return list
    .split(',')
    .map((name) => name.trim().replaceAll('"', ''))
    .filter((name) => name !== '')
    .sort()
}
