import { ask, mapRead } from 'provision-ts'
import { queryRow } from './psql.ts'

/** The replicas of which a commit waits for one; an empty list when it waits for none, undefined when no server answers. */
export const waitsFor = ask(
  'which replicas commits wait for',
  mapRead(
    queryRow<{ readonly names: string }>("select current_setting('synchronous_standby_names') as names"),
    (found) => found && namesIn(found.names),
  ),
)

/** The names in `ANY 1 ("db2", "db3")`, or in `db2`. */
export function namesIn(setting: string): readonly string[] {
  const [, list = setting] = /\(([^)]*)\)/.exec(setting) ?? []
  return list
    .split(',')
    .map((name) => name.trim().replaceAll('"', ''))
    .filter((name) => name !== '')
    .sort()
}
