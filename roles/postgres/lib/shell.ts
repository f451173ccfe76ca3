import { type Shell, sh } from 'provision-ts'
import { type Paths, PORT } from '../params.ts'
import { conninfo } from './conninfo.ts'

/** `as_postgres COMMAND…`: as the server's own user. `ask SQL`: what the server on the local socket says. Never waits for a replica. */
export function localFunctions({ bin }: Pick<Paths, 'bin'>): Shell {
  return sh`
as_postgres() { HOME=/var/lib/postgresql setpriv --reuid postgres --regid postgres --init-groups "$@"; }
ask() { PGHOST=/run/postgresql PGPORT=${PORT} PGCONNECT_TIMEOUT=5 PGOPTIONS='-c synchronous_commit=local' as_postgres ${bin}/psql -XAtqw -v ON_ERROR_STOP=1 -F ' ' -d postgres -c "$1"; }`
}

/**
 * `peer SECONDS`: what the database at the address says of itself, as `primary TIMELINE SYSTEM` or `standby TIMELINE SYSTEM`; `silent` when it
 * says nothing within so many seconds. It is asked as a replica would ask, so that nobody needs further rights for it.
 */
export function peerFunction({ bin }: Pick<Paths, 'bin'>, address: string): Shell {
  return sh`
peer() {
  patience=$1
  set -- $(HOME=/var/lib/postgresql timeout "$patience" setpriv --reuid postgres --regid postgres --init-groups ${bin}/psql -XAtqw -F ' ' -d ${`${conninfo(address)} dbname=replication replication=true`} -c IDENTIFY_SYSTEM -c 'SHOW in_hot_standby' 2>/dev/null)
  case "$4" in
    off) echo "primary $2 $1" ;;
    on) echo "standby $2 $1" ;;
    *) echo silent ;;
  esac
}`
}

/** One after another. */
export function sequence(scripts: readonly Shell[]): Shell {
  return scripts.reduce(
    (all, one) => sh`${all}
${one}`,
    sh``,
  )
}
