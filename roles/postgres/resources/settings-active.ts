import { type Command, type Handler, resource } from 'provision-ts'
import { identifier, literal, queryRow, sqlCommand } from '../lib/psql.ts'

interface SettingsActiveParams {
  /** The settings of the role. */
  readonly names: readonly string[]
  /** Activates the files. */
  readonly apply: Handler
}

interface Found {
  readonly waiting: string | null
  readonly overridden: string | null
}

/**
 * The server uses the settings of the files: none needs a restart, as after a manual change, and none is overridden by ALTER SYSTEM.
 */
export const settingsActive = resource<SettingsActiveParams, Found | undefined>('database settings', {
  id: () => 'active',
  read: ({ names }) =>
    queryRow<Found>(
      `select string_agg(name, ' ') filter (where pending_restart and name <> 'cluster_name') as waiting,
         (select string_agg(name, ' ') from pg_file_settings where sourcefile like '%/postgresql.auto.conf'
           and name in (${names.map(literal).join(', ')})) as overridden
       from pg_settings`,
    ),
  diff: (_params, have) => {
    const fields = [
      ...(have?.waiting ? [{ name: 'need a restart', from: have.waiting, to: 'active' }] : []),
      ...(have?.overridden ? [{ name: 'ALTER SYSTEM', from: have.overridden, to: 'reset' }] : []),
    ]
    return fields.length === 0 ? undefined : { action: 'change', fields }
  },
  apply: ({ apply }, have): readonly Command[] => [
    ...(have?.overridden
      ? [sqlCommand('postgres', ...have.overridden.split(' ').map((name) => `alter system reset ${identifier(name)}`))]
      : []),
    ...apply.commands,
  ],
  satisfies: ({ apply }) => [apply],
})
