import { type Shell, sh } from 'provision-ts'
import { type Paths, PORT } from '../params.ts'
import { conninfo } from './conninfo.ts'

/** Defines `as_postgres COMMAND…`, which runs a command as the server's user, and `ask SQL`, a query on the local socket that never waits for a replica. */
export function localFunctions({ bin }: Pick<Paths, 'bin'>): Shell {
  return sh`
as_postgres() { HOME=/var/lib/postgresql setpriv --reuid postgres --regid postgres --init-groups "$@"; }
ask() { PGHOST=/run/postgresql PGPORT=${PORT} PGCONNECT_TIMEOUT=5 PGOPTIONS='-c synchronous_commit=local' as_postgres ${bin}/psql -XAtqw -v ON_ERROR_STOP=1 -F ' ' -d postgres -c "$1"; }`
}

/**
 * Defines `peer SECONDS`, which prints the state of the database at the address: `primary TIMELINE SYSTEM`, `standby TIMELINE SYSTEM`, or
 * `silent` without an answer in that time. It connects as a replica does, so it needs no further rights.
 */
export function peerFunction({ bin }: Pick<Paths, 'bin'>, address: string): Shell {
  return sh`
peer() {
  seconds=$1
  set -- $(HOME=/var/lib/postgresql timeout "$seconds" setpriv --reuid postgres --regid postgres --init-groups ${bin}/psql -XAtqw -F ' ' -d ${`${conninfo(address)} dbname=replication replication=true`} -c IDENTIFY_SYSTEM -c 'SHOW in_hot_standby' 2>/dev/null)
  case "$4" in
    off) echo "primary $2 $1" ;;
    on) echo "standby $2 $1" ;;
    *) echo silent ;;
  esac
}`
}

/** Joins scripts, one after another. */
export function sequence(scripts: readonly Shell[]): Shell {
  return scripts.reduce(
    (all, one) => sh`${all}
${one}`,
    sh``,
  )
}
