import { type Command, type Handler, resource } from 'provision-ts'
import { identifier, literal, queryRow, sqlCommand } from '../lib/psql.ts'

export interface SettingsActiveParams {
  /** The settings that are ours to say. */
  readonly names: readonly string[]
  /** What puts the files in force. */
  readonly apply: Handler
}

interface Found {
  readonly waiting: string | null
  readonly overridden: string | null
}

/**
 * That the server goes by the files: nothing waits for a restart, as after an edit by hand, and nothing that is said in them is
 * said otherwise by ALTER SYSTEM, which would beat them.
 */
export const settingsActive = resource<SettingsActiveParams, Found | undefined>('database settings', {
  id: () => 'in force',
  read: ({ names }) =>
    queryRow<Found>(
      `select string_agg(name, ' ') filter (where pending_restart and name <> 'cluster_name') as waiting,
         (select string_agg(name, ' ') from pg_file_settings where sourcefile like '%/postgresql.auto.conf'
           and name in (${names.map(literal).join(', ')})) as overridden
       from pg_settings`,
    ),
  diff: (_params, have) => {
    const fields = [
      ...(have?.waiting ? [{ name: 'wait for a restart', from: have.waiting, to: 'in force' }] : []),
      ...(have?.overridden ? [{ name: 'ALTER SYSTEM', from: have.overridden, to: 'reset' }] : []),
    ]
    return fields.length === 0 ? undefined : { action: 'change', fields }
  },
  apply: ({ apply }, have): readonly Command[] => [
    ...(have?.overridden
      ? [
          sqlCommand(
            'postgres',
            ...have.overridden.split(' ').map((name) => `alter system reset ${identifier(name)}`),
          ),
        ]
      : []),
    ...apply.commands,
  ],
  satisfies: ({ apply }) => [apply],
})
