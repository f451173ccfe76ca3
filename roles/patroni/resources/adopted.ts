import { type Command, type Diff, resource, type Shell, sh } from 'provision-ts'
import { CONTROL } from '../../etcd/params.ts'
import type { Paths } from '../../postgres/params.ts'
import { type PatroniState, readState } from '../lib/state.ts'
import { NAMESPACE, REST, SCOPE } from '../params.ts'

interface AdoptedParams {
  readonly host: string
  readonly paths: Paths
  readonly leader: boolean
  /** They come first: otherwise Patroni would take the primary for one without replicas. */
  readonly replicas: readonly { readonly name: string }[]
}

/**
 * Patroni manages the server of this host. A server that runs is taken over as it is: it is neither stopped nor started. Where there are
 * no data, Patroni copies those of the leader.
 */
export const managedByPatroni = resource<AdoptedParams, PatroniState>('database under patroni', {
  id: ({ host }) => host,
  read: () => readState,
  diff: ({ leader }, { adopted, active, fenced, member }): Diff | undefined => {
    // The configuration of a replica changes later: see `configuredByPatroni`.
    if (!adopted && (leader || !active)) return { action: 'create', fields: [] }
    if (!active) return { action: 'start', fields: [] }
    if (fenced) return { action: 'change', fields: [{ name: 'fence', from: 'running', to: 'stopped' }] }
    return member && ['running', 'streaming'].includes(member.state)
      ? undefined
      : { action: 'start', fields: [{ name: 'state', from: member?.state ?? 'unknown', to: 'running' }] }
  },
  apply: ({ paths, replicas, leader }, { adopted }): readonly Command[] => [
    ...(adopted ? [] : replicas.map(({ name }) => ({ script: registered(name) }))),
    { script: adopt(paths), timeout: '12h' },
    ...(leader ? [{ script: takenOver(paths), timeout: '5m' } as const] : []),
  ],
})

/**
 * Patroni has written the configuration of a replica's server. It does so when it knows the primary. Before, it would write one without a
 * primary: the replica would stop to stream, and commits would wait until the primary has its Patroni.
 */
export const configuredByPatroni = resource<Pick<AdoptedParams, 'host' | 'paths'>, PatroniState>(
  'database configuration by patroni',
  {
    id: ({ host }) => host,
    affects: 'itself',
    read: () => readState,
    diff: (_params, { adopted }): Diff | undefined => (adopted ? undefined : { action: 'create', fields: [] }),
    apply: ({ paths }): readonly Command[] => [{ script: takenOver(paths), timeout: '5m' }],
  },
)

function registered(name: string): Shell {
  return sh`said=$(${CONTROL} get --print-value-only ${`${NAMESPACE}${SCOPE}/members/${name}`} 2>/dev/null)
[ "$said" ] || {
  echo ${`Patroni does not manage ${name} yet. The primary runs as before, and there is no automatic failover.`} >&2; exit 1
}`
}

function adopt({ config, unit }: Paths): Shell {
  return sh`config=${config}
[ -z "$(systemctl list-unit-files --plain --no-legend provision-postgres-fence.service)" ] || systemctl disable -q --now provision-postgres-fence || exit 1
systemctl disable -q ${unit} && systemctl daemon-reload || exit 1
# Patroni writes the file in its place, and keeps copies beside it.
chown postgres:postgres "$config" || exit 1
[ ! -e "$config/postgresql.conf" ] || chown postgres:postgres "$config/postgresql.conf" || exit 1
systemctl reset-failed patroni 2>/dev/null
systemctl enable -q patroni && systemctl start patroni || { journalctl -q --no-pager -o cat -n 15 -u patroni >&2; exit 1; }
n=0
until said=$(PATRONI_TIMEOUT=4 ${REST} GET /patroni 2>/dev/null) && case $said in *'"state": "running"'* | *'"state": "streaming"'*) ;; *) false ;; esac; do
  # A copy of the data takes as long as it takes.
  case $said in *'"state": "creating replica"'* | *'"state": "running custom bootstrap'*) n=0 ;; esac
  n=$((n + 1)); [ $n -lt 240 ] || { printf '%s\n' 'The server does not run under Patroni:' "$said" >&2; journalctl -q --no-pager -o cat -n 15 -u patroni >&2; exit 1; }
  sleep 0.5
done`
}

function takenOver({ config }: Paths): Shell {
  return sh`config=${config}
managed() { grep -q 'overwritten by Patroni' "$config/postgresql.conf"; }
n=0
until managed; do
  # It writes its configuration when it has a change to make, which comes by itself: a primary waits for replicas, and a replica follows the primary.
  [ $n -ne 60 ] || systemctl reload patroni
  n=$((n + 1)); [ $n -lt 120 ] || { echo 'Patroni has not taken over the configuration.' >&2; journalctl -q --no-pager -o cat -n 10 -u patroni >&2; exit 1; }
  sleep 0.5
done`
}

interface LeaderParams {
  readonly host: string
}

/** The primary holds the leader key, and a replica is synchronous where that is asked for. The change is to wait for it. */
export const leadsCluster = resource<LeaderParams, PatroniState>('leader', {
  id: ({ host }) => host,
  affects: 'itself',
  read: () => readState,
  diff: ({ host }, { cluster }) => {
    const leader = cluster?.members.find(({ role }) => role === 'leader')?.name
    return leader === host
      ? undefined
      : { action: 'change', fields: [{ name: 'leader', from: leader ?? 'none', to: host }] }
  },
  apply: ({ host }) => [
    {
      script: sh`n=0
until PATRONI_TIMEOUT=4 ${REST} GET /primary 2>/dev/null | tail -n 1 | grep -qx 200; do
  n=$((n + 1)); [ $n -lt 120 ] || { echo ${`${host} has not become the leader in etcd.`} >&2; journalctl -q --no-pager -o cat -n 10 -u patroni >&2; exit 1; }
  sleep 0.5
done`,
      timeout: '2m',
    },
  ],
})
