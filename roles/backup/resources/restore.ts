import { Problem, read, readBoth, resource, type Shell, sh } from 'provision-ts'
import { type ClusterState, clusterState } from '../../postgres/lib/cluster-state.ts'
import { localFunctions } from '../../postgres/lib/shell.ts'
import type { Paths } from '../../postgres/params.ts'
import type { PointInTime } from '../lib/point-in-time.ts'
import type { RepositoryInfo } from '../lib/repository-info.ts'
import { scratchServer } from '../lib/scratch-server.ts'
import { STANZA } from '../params.ts'

export interface RestoreParams {
  readonly host: string
  readonly paths: Paths
  readonly run: string
  /** The point in time; undefined for all data of the repository. */
  readonly to: PointInTime | undefined
  /** The timeline to follow. @default the latest */
  readonly timeline: number | undefined
  /** The content of the repository; undefined if its host cannot be reached. */
  readonly held: RepositoryInfo | undefined
}

type Found = readonly [ClusterState, string]

const DONE = '/var/lib/provision/restored'

const doneBy = read(sh`cat ${DONE} 2>/dev/null`, ({ stdout }) => stdout.trim())

/**
 * Restores the data to a point in time. They are restored and recovered in another directory while the old server runs. Only then does it
 * stop, and its data are moved aside. A failure before that does not affect it.
 */
export const restoreDatabase = resource<RestoreParams, Found>('database', {
  id: ({ to }) => (to ? `as of ${to.text}` : 'from the repository'),
  read: () => readBoth(clusterState.read, doneBy),
  diff: (params, [have, done]) => {
    if (done === params.run) return undefined
    checkRestore(params, have)
    return { action: 'change', fields: [{ name: 'data', to: 'restored' }] }
  },
  apply: (params) => [{ script: script(params), timeout: '24h' }],
})

function checkRestore({ host, to, held }: RestoreParams, have: ClusterState): void {
  const refused = (what: string, next: string) => new Problem(what, { next: `Nothing was changed on ${host}. ${next}` })
  if (!held) throw refused('The backup host cannot be reached', 'Make it reachable, and run again.')
  if (held.problem !== undefined) throw refused(`The backups cannot be read: ${held.problem}`, 'Check the backup host.')
  const [oldest] = held.backups
  if (!oldest) throw refused('There is no backup to restore', 'For the content of the repository: pgbackrest info.')
  if (!to && have.kind === 'cluster' && have.running)
    throw refused(
      `The database on ${host} is running, and has all data of the backups`,
      'Set the point in time with --to.',
    )
  if (to && to.seconds < oldest.stop)
    throw refused(
      `The oldest backup was taken after ${to.text}`,
      `The earliest possible time is ${new Date(oldest.stop * 1000).toISOString()}.`,
    )
  if (to && to.seconds > held.asked) throw refused(`${to.text} is in the future`, 'Use a time in the past.')
}

function script({ paths, run, to, timeline, held }: RestoreParams): Shell {
  const { data, unit, config } = paths
  const [, parent = ''] = /^(.*)\/[^/]+$/.exec(data) ?? []
  const at = `${parent}/.main.restore`
  const size = held?.backups.at(-1)?.size ?? 0
  const target = [
    ...(to ? ['--type=time', `--target=${to.text}`, '--target-action=shutdown'] : ['--type=default']),
    ...(timeline === undefined ? [] : [`--target-timeline=${timeline}`]),
  ]
  return sh`
exec 8>/run/provision-postgres.lock; flock -n 8 || { echo 'Another run is changing the data.' >&2; exit 1; }
${localFunctions(paths)}
${scratchServer(paths, '/run/provision-restore', `pgbackrest --stanza=${STANZA} --pg1-path=${at} archive-push %p`)}
data=${data} parent=${parent} at=${at} unit=${unit} config=${config}
report() { echo "$1" >&2; scratch_log; }
install -d -o postgres -g postgres -m 0755 "$parent" && install -d -o postgres -g postgres -m 0700 "$scratch" && scratch_conf || exit 1
scratch_stop "$at" immediate 2>/dev/null; rm -rf "$at"
free=$(df --output=avail -B1 "$parent" | tail -n 1); need=$((${size} + ${size} / 4 + 1073741824))
[ "$free" -ge $need ] || { echo "$parent has $free bytes free, and the restored data need $need." >&2; exit 1; }
give_up() { report "$1 Nothing was changed."; scratch_stop "$at" immediate; rm -rf "$at"; exit 1; }
if systemctl is-active -q "$unit" && [ "$(ask 'select pg_is_in_recovery()' 2>/dev/null)" = f ]; then
  # Recovery knows that it reached the target only if a later commit exists.
  ask 'select txid_current()' >/dev/null
  wal=$(ask 'select pg_walfile_name(pg_switch_wal())') && for n in $(seq 300); do
    [ "$(ask "select last_archived_wal >= '$wal' from pg_stat_archiver")" = t ] && break; sleep 0.1
  done
fi
as_postgres pgbackrest ${`--stanza=${STANZA}`} --pg1-path="$at" --tablespace-map-all="$parent/tablespaces-"${run} --log-level-console=warn ${target} restore || give_up 'The backup could not be restored.'
${
  to
    ? sh`scratch_run "$at"
grep -q 'shutdown at recovery target' "$scratch/log" || give_up 'The point in time was not reached.'
sed -i "s/^recovery_target_action = .*/recovery_target_action = 'promote'/" "$at/postgresql.auto.conf"`
    : sh``
}
was=; ! systemctl is-active -q "$unit" || was=running
go_back() {
  report "$1"; scratch_stop "$at" immediate
  if [ "$aside" ] && [ ! -e "$data" ]; then mv -T "$aside" "$data"; fi
  if [ "$was" ]; then systemctl start "$unit"; fi
  echo 'The old data were restored.' >&2; exit 1
}
aside=
systemctl stop "$unit" || go_back 'The old server does not stop.'
scratch_start "$at" && [ "$(scratch_ask -d postgres -c 'select pg_is_in_recovery()')" = f ] || go_back 'The restored server does not start.'
for name in restore_command recovery_target recovery_target_time recovery_target_action recovery_target_timeline recovery_target_inclusive; do
  scratch_ask -d postgres -c "alter system reset $name" || go_back 'The recovery settings could not be reset.'
done
scratch_stop "$at" fast || go_back 'The restored server does not stop.'
rm -f "$at/postgresql.conf" "$at/pg_hba.conf" "$at/pg_ident.conf"
if [ -e "$data" ]; then aside=$data.before-restore.$(date -u +%Y%m%dT%H%M%SZ); mv -T "$data" "$aside" || go_back 'The old data cannot be moved aside.'; fi
mv -T "$at" "$data" && sync "$parent" || go_back 'The restored data cannot be moved to their directory.'
mkdir -p /var/lib/provision && echo ${run} > ${DONE}
[ -e "$config/postgresql.conf" ] || exit 0
systemctl reset-failed "$unit" 2>/dev/null; systemctl start "$unit"
n=0; until [ "$(ask 'select pg_is_in_recovery()' 2>/dev/null)" = f ]; do
  n=$((n+1)); [ $n -lt 300 ] || { echo "The restored data are in $data, the old data in $aside, but the server does not answer: journalctl -u $unit" >&2; exit 1; }; sleep 0.2
done`
}
