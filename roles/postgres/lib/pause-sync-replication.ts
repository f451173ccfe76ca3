import { type Drain, drain, type Group, type Host, runOnEach, type Shell, sh } from 'provision-ts'
import { PORT } from '../params.ts'

/**
 * Commits do not wait for the only replica while it changes, so clients notice nothing. Writes are then only on the primary. Commits wait
 * again once a replica streams. With two replicas they wait for the other one. There is nothing to do for the primary itself, or without
 * synchronous replication.
 */
export function pauseSyncReplication(db: Pick<Group, 'hosts'>): Drain {
  const others = ({ name }: Host) => ({ hosts: db.hosts.filter((host) => host.name !== name) })
  return drain('synchronous replication', {
    drain: (host: Host) => runOnEach(others(host), pause),
    undrain: (host: Host) => runOnEach(others(host), resume),
  })
}

/** The file of the role, which is renamed during the pause: PostgreSQL reads only names that end in .conf. */
const ASK: Shell = sh`
conf=$(ls -d /etc/postgresql/*/main 2>/dev/null | tail -n 1)/conf.d/91-synchronous.conf
psql=$(ls -d /usr/lib/postgresql/*/bin/psql 2>/dev/null | tail -n 1)
ask() { PGHOST=/run/postgresql PGPORT=${PORT} PGCONNECT_TIMEOUT=5 PGOPTIONS='-c synchronous_commit=local' HOME=/var/lib/postgresql setpriv --reuid postgres --regid postgres --init-groups "$psql" -XAtqw -v ON_ERROR_STOP=1 -d postgres -c "$1"; }
runs() { systemctl -q is-active 'postgresql@*-main.service'; }
recovery() { ask 'select pg_is_in_recovery()'; }
reload() { ask 'select pg_reload_conf()' >/dev/null; }`

const pause = sh`${ASK}
[ -e "$conf" ] || exit 0
recovery=$(recovery) || { runs || exit 0; echo 'the database does not answer, so it may be a primary with synchronous replication' >&2; exit 1; }
[ "$recovery" = f ] || exit 0
several=$(ask "select count(*) > 1 from pg_stat_replication where state = 'streaming'") || exit 1
[ "$several" = f ] || exit 0
ask 'alter database postgres reset provision.synchronous' && mv -f "$conf" "$conf.away" && reload || exit 1
until [ -z "$(ask 'show synchronous_standby_names')" ]; do sleep 0.05; done`

const resume = sh`${ASK}
[ -e "$conf.away" ] || exit 0
end=$(($(date +%s) + 90 * \${PROVISION_TIMEOUT_PERCENT:-100} / 100))
until recovery=$(recovery); do
  # If it returns as a primary, its commits wait.
  runs || { mv -f "$conf.away" "$conf"; exit; }
  [ "$(date +%s)" -lt "$end" ] || { echo 'the database does not answer, so synchronous replication is still paused' >&2; exit 1; }
  sleep 0.2
done
[ "$recovery" = f ] || { rm -f "$conf.away"; exit 0; }
until [ "$(ask "select count(*) > 0 from pg_stat_replication where state = 'streaming'")" = t ]; do
  [ "$(date +%s)" -lt "$end" ] || { echo 'no replica streams, so synchronous replication is still paused' >&2; exit 1; }
  sleep 0.2
done
mv -f "$conf.away" "$conf" && reload || exit 1
until [ -n "$(ask 'show synchronous_standby_names')" ]; do sleep 0.05; done
ask "alter database postgres set provision.synchronous = 'on'"`
