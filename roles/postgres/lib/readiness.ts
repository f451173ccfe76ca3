import { type Host, type Probe, probe, sh } from 'provision-ts'
import { PORT } from '../params.ts'

/** True if the database is a primary, or streams from one. */
export function postgresReadiness(_host?: Host): Probe {
  return probe(
    'the database is a primary, or streams from one',
    sh`
psql=$(ls -d /usr/lib/postgresql/*/bin/psql 2>/dev/null | tail -n 1)
said=$(PGHOST=/run/postgresql PGPORT=${PORT} PGCONNECT_TIMEOUT=5 HOME=/var/lib/postgresql setpriv --reuid postgres --regid postgres --init-groups "$psql" -XAtqw -d postgres -c "
  select not pg_is_in_recovery() or exists (select from pg_stat_wal_receiver where status = 'streaming')") && [ "$said" = t ] ||
{ echo "the answer is: $said"; exit 1; }`,
    { timeout: '60s' },
  )
}
