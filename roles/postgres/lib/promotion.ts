import { type Shell, sh } from 'provision-ts'
import { type Paths, slotOf } from '../params.ts'
import { STANDBY_TIMELINE } from './cluster-state.ts'
import { localFunctions, sequence } from './shell.ts'

/** The reason in the placeholder of a timeline of another host. */
export const PLACEHOLDER = 'began on another host'

/** The reason of a failed promotion. The next command reads it, because the run must clean up first. */
const REASON = '/run/provision-promotion'

export interface Promotion {
  readonly paths: Paths
  /** The other database hosts. Each gets a replication slot. */
  readonly others: readonly { readonly name: string }[]
  /** The lowest number of the new timeline: lower ones are in use on other hosts. */
  readonly timeline: number
  /** A script that runs immediately before. It calls `refuse REASON` to prevent the promotion. */
  readonly before: Shell
}

/**
 * Promotes a replica. Afterwards it is either the primary, or certainly not: a promotion that takes too long is cancelled by a restart as a
 * replica. The status is 0 in both cases, and a file has the reason of the failure.
 */
export function promote({ paths, others, timeline, before }: Promotion): Shell {
  const { data, unit } = paths
  return sh`${localFunctions(paths)}
refuse() { printf '%s\n' "$*" > ${REASON}; exit 0; }
rm -f ${REASON}
${before}
${skippedTimelines(paths, timeline)}
if [ "$(ask 'select pg_promote(true, 10)')" != t ]; then
  systemctl stop ${unit}
  if [ -e ${`${data}/standby.signal`} ]; then
    rm -f ${`${data}/promote`} $placeholders
    systemctl start ${unit}
    refuse 'The promotion did not finish within 10 s and was cancelled. See the log of the server.'
  fi
  systemctl start ${unit}
fi
${sequence(others.map((other) => slot(slotOf(other))))}
ask 'alter database postgres reset provision.synchronous'
exit 0`
}

/**
 * PostgreSQL begins the first timeline of which it has no history. Timelines that began on another host get a placeholder, so that no
 * number is used twice. It ends before all data, so no standby follows it. It stays: a standby asks for the history of each timeline
 * between its own and that of the primary.
 */
function skippedTimelines({ data }: Paths, timeline: number): Shell {
  return sh`placeholders= placeholder=${PLACEHOLDER}
own=$(ask ${`select ${STANDBY_TIMELINE}`}) || refuse 'The standby does not report its timeline.'
skipped=$(($own + 1))
while [ "$skipped" -lt ${timeline} ]; do
  history=${data}/pg_wal/$(printf %08X "$skipped").history
  [ -e "$history" ] || { printf '%s\t0/1\t%s\n' "$own" "$placeholder" | as_postgres tee "$history" >/dev/null || refuse 'The history of timelines could not be written.'; placeholders="$placeholders $history"; }
  skipped=$((skipped + 1))
done`
}

function slot(name: string): Shell {
  return sh`ask ${`select pg_create_physical_replication_slot('${name}') where not exists (select from pg_replication_slots where slot_name = '${name}')`} >/dev/null`
}

/** Fails with the reason, if there is one. */
export const assertPromoted = sh`[ ! -e ${REASON} ] || { cat ${REASON} >&2; rm -f ${REASON}; exit 1; }`

/**
 * Defines `complete`: true if all WAL of the old primary has arrived. It ends with the record that a primary writes at a clean shutdown.
 *
 * @param timeline the timeline of the old primary
 */
export function receivedAllWal({ bin, data }: Paths, timeline: number): Shell {
  return sh`
complete() {
  set -- $(ask 'select pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() and not exists (select from pg_stat_wal_receiver), pg_last_wal_receive_lsn() - 160')
  [ "$1" = t ] && ${bin}/pg_waldump -p ${`${data}/pg_wal`} -t ${timeline} -s "$2" 2>/dev/null | tail -n 1 | grep -q CHECKPOINT_SHUTDOWN
}`
}
