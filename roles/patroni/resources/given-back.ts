import { type Command, type Diff, resource, type Shell, sh } from 'provision-ts'
import { literal, queryRow, sqlCommand } from '../../postgres/lib/psql.ts'
import type { Paths } from '../../postgres/params.ts'
import { standbyNames, synchronousConf } from '../../postgres/resources/synchronous-replication.ts'
import { type PatroniState, readState } from '../lib/state.ts'
import { REST } from '../params.ts'

/** The cluster is paused, and the Patroni of this host knows it: nothing is promoted, and a server outlives its Patroni. */
export const pausedCluster = resource<{ readonly host: string }, PatroniState>('patroni pause', {
  id: ({ host }) => host,
  affects: 'itself',
  read: () => readState,
  diff: (_params, { active, member }): Diff | undefined =>
    active && !member?.pause
      ? { action: 'change', fields: [{ name: 'paused', from: 'false', to: 'true' }] }
      : undefined,
  apply: () => [
    {
      script: sh`n=0
until PATRONI_TIMEOUT=4 ${REST} PATCH /config '{"pause": true}' 2>/dev/null | tail -n 1 | grep -qx 200 &&
  said=$(PATRONI_TIMEOUT=4 ${REST} GET /patroni 2>/dev/null) && case $said in *'"pause": true'*) ;; *) false ;; esac; do
  n=$((n + 1)); [ $n -lt 60 ] || { printf '%s\n' 'Patroni cannot be paused. This needs a majority of etcd: repair its members first.' "$said" >&2; exit 1; }
  sleep 0.5
done`,
      timeout: '2m',
    },
  ],
})

interface GivenBackParams {
  readonly host: string
  readonly paths: Paths
  /** The hosts of which one must have a write before it is acknowledged, when this one is the primary. */
  readonly synchronous: readonly { readonly name: string }[]
}

/**
 * Patroni has ended on this host, and its server runs on. What follows writes the configuration of a server that systemd starts; until
 * then it goes by Patroni's. Commits wait for a replica all the time.
 */
export const givenBack = resource<GivenBackParams, PatroniState>('database without patroni', {
  id: ({ host }) => host,
  read: () => readState,
  diff: (_params, { active }): Diff | undefined =>
    active ? { action: 'change', fields: [{ name: 'patroni', from: 'running', to: 'stopped' }] } : undefined,
  apply: ({ paths, synchronous }): readonly Command[] => [
    { script: giveBack(paths, standbyNames(synchronous)), timeout: '5m' },
  ],
})

function giveBack(paths: Paths, names: string): Shell {
  const { config, bin } = paths
  const conf = synchronousConf(paths)
  const text = `# Written by provision, once a replica streamed.\nsynchronous_standby_names = '${names}'\n`
  return sh`config=${config}
if systemctl is-active -q patroni; then
  # Only a Patroni that is paused leaves its server running.
  said=$(PATRONI_TIMEOUT=4 ${REST} GET /patroni 2>/dev/null)
  case $said in *'"pause": true'*) ;; *) echo 'Patroni is not paused on this host, so its server would end with it.' >&2; exit 1 ;; esac
fi
ask() { PGHOST=/run/postgresql PGPORT=5432 PGCONNECT_TIMEOUT=5 HOME=/var/lib/postgresql setpriv --reuid postgres --regid postgres --init-groups ${bin}/psql -XAtqw -d postgres -c "$1" 2>/dev/null; }
names=${names}
if [ "$names" ] && [ "$(ask "select not pg_is_in_recovery() and current_setting('synchronous_standby_names') <> ''")" = t ]; then
  # Not read before the server has the configuration of the site.
  printf %s ${text} > ${`${conf}.new`} && sync ${`${conf}.new`} && mv ${`${conf}.new`} ${conf} || exit 1
fi
systemctl disable -q patroni && systemctl stop patroni || exit 1
rm -f "$config"/*.backup
chown root:root "$config"`
}

/**
 * Removes the setting that records synchronous replication: Patroni changes that without a run, and stores in etcd which host can be promoted.
 */
export const withoutNote = resource<object, { readonly noted: boolean } | undefined>(
  'note of synchronous replication',
  {
    id: () => 'none',
    affects: 'itself',
    read: () =>
      queryRow<{ readonly noted: boolean }>(
        `select coalesce(current_setting('provision.synchronous', true), '') = ${literal('on')} as noted`,
      ),
    diff: (_params, have) =>
      have?.noted ? { action: 'change', fields: [{ name: 'noted', from: 'true', to: 'false' }] } : undefined,
    apply: () => [sqlCommand('postgres', 'alter database postgres reset provision.synchronous')],
  },
)
