import { type Shell, sh } from 'provision-ts'
import type { Paths } from '../../postgres/params.ts'

/**
 * Shell functions for a temporary server without network access. Call `scratch_conf` first. `scratch_start DATA` waits until the server has
 * recovered and is promoted; `scratch_run DATA` waits until it stops. The others are `scratch_ask`, `scratch_stop DATA fast|immediate`,
 * and `scratch_log`, which prints errors of its log.
 *
 * Its limits of connections and workers may be lower than the cluster's, as it accepts no sessions before it has recovered.
 *
 * @param at the directory of its settings, socket and log, owned by postgres
 * @param archive the command that archives its WAL. @default no archiving
 */
export function scratchServer({ bin }: Pick<Paths, 'bin'>, at: string, archive?: string): Shell {
  const settings = {
    config_file: `${at}/postgresql.conf`,
    hba_file: `${at}/pg_hba.conf`,
    ident_file: `${at}/pg_ident.conf`,
    listen_addresses: '',
    unix_socket_directories: at,
    port: '5432',
    hot_standby: 'off',
    ssl: 'off',
    shared_buffers: '128MB',
    max_connections: '20',
    shared_preload_libraries: '',
    synchronous_standby_names: '',
    lc_messages: 'C',
    archive_mode: archive === undefined ? 'off' : 'on',
    archive_command: archive ?? '',
  }
  // On the command line: settings of ALTER SYSTEM come with the data and override files.
  const options = Object.entries(settings).map(([name, value]) => sh`-c ${`${name}=${value}`}`.text)
  return sh`
as_postgres() { HOME=/var/lib/postgresql setpriv --reuid postgres --regid postgres --init-groups "$@"; }
scratch=${at} bin=${bin} options=${options.join(' ')}
scratch_conf() {
  : > "$scratch/postgresql.conf" && echo 'local all postgres peer' > "$scratch/pg_hba.conf" && : > "$scratch/pg_ident.conf" && : > "$scratch/log" &&
  chown postgres:postgres "$scratch/log" && chmod 0644 "$scratch/postgresql.conf" "$scratch/pg_hba.conf" "$scratch/pg_ident.conf"
}
scratch_ask() { as_postgres "$bin/psql" -XAtqw -v ON_ERROR_STOP=1 -h "$scratch" -p 5432 "$@"; }
scratch_start() {
  as_postgres "$bin/pg_ctl" -s -D "$1" -l "$scratch/log" -o "$options" -w -t 86400 start >/dev/null || return 1
  until scratch_ask -d postgres -c 'select 1' >/dev/null 2>&1; do as_postgres "$bin/pg_ctl" -s -D "$1" status >/dev/null || return 1; sleep 0.2; done
}
scratch_run() { ( at=$1; eval "set -- $options"; as_postgres timeout 86400 "$bin/postgres" -D "$at" "$@" ) >"$scratch/log" 2>&1; }
scratch_stop() { [ ! -e "$1/postmaster.pid" ] || as_postgres "$bin/pg_ctl" -s -D "$1" -m "$2" -w -t 600 stop; }
scratch_log() { grep -E 'FATAL|PANIC|ERROR|recovery (ended|stopping)|could not' "$scratch/log" | tail -n 8 >&2; }`
}
