import { type Command, read, resource, type Shell, sh } from 'provision-ts'
import { leaderIn, type PatroniState, readState } from '../lib/state.ts'
import { REST } from '../params.ts'

interface MovedParams {
  readonly from: string
  readonly to: string
  /** Of the REST API of the primary: asked there, its Patroni acts at once, and otherwise at its next look at etcd. */
  readonly url: string
}

/** Patroni moves the primary: the old one stops well, the new one has all that was written, and the old one follows it. */
export const patroniSwitchover = resource<MovedParams, PatroniState>('database switchover', {
  id: ({ from, to }) => `${from} → ${to}`,
  read: () => readState,
  diff: ({ from, to }, { cluster }) =>
    leaderIn(cluster)?.name === to ? undefined : { action: 'change', fields: [{ name: 'primary', from, to }] },
  apply: ({ from, to, url }): readonly Command[] => [
    {
      script: sh`said=$(PATRONI_URL=${url} PATRONI_TIMEOUT=110 ${REST} POST /switchover ${JSON.stringify({ leader: from, candidate: to })} 2>&1)
[ "$(printf '%s\n' "$said" | tail -n 1)" = 200 ] || { printf '%s\n' "$said" | head -n -1 >&2; exit 1; }`,
      timeout: '2m',
    },
    synchronousAgain(from),
  ],
})

interface PromotedParams {
  readonly to: string
  readonly loss: string
}

/** Patroni promotes a host that may lack acknowledged writes, because the operator has confirmed it. */
export const patroniFailover = resource<PromotedParams, PatroniState>('database failover', {
  id: ({ to }) => `to ${to}`,
  read: () => readState,
  diff: ({ to, loss }, { cluster }) =>
    leaderIn(cluster)?.name === to
      ? undefined
      : {
          action: 'change',
          fields: [
            { name: 'primary', to },
            { name: 'lost', to: loss },
          ],
        },
  apply: ({ to }): readonly Command[] => [
    {
      script: sh`said=$(PATRONI_TIMEOUT=110 ${REST} POST /failover ${JSON.stringify({ candidate: to })} 2>&1)
[ "$(printf '%s\n' "$said" | tail -n 1)" = 200 ] || { printf '%s\n' "$said" | head -n -1 >&2; exit 1; }`,
      timeout: '2m',
    },
  ],
})

/** The cluster has a primary again. The change is to wait until Patroni has promoted one. */
export const leaderElected = resource<ElectedParams, boolean>('automatic failover', {
  id: () => 'done',
  affects: 'itself',
  read: ({ urls }) =>
    read(
      sh`export PATRONI_TIMEOUT=2
${leads(urls)}`,
      ({ code }) => code === 0,
    ),
  diff: (_params, isDone) =>
    isDone ? undefined : { action: 'change', fields: [{ name: 'primary', from: 'none', to: 'chosen by Patroni' }] },
  apply: ({ seconds, urls }): readonly Command[] => [
    {
      script: sh`export PATRONI_TIMEOUT=2
end=$(($(date +%s) + ${seconds} * \${PROVISION_TIMEOUT_PERCENT:-100} / 100))
until ${leads(urls)}; do
  [ "$(date +%s)" -lt "$end" ] || { echo 'Patroni has promoted no replica:' >&2; ${REST} GET /cluster >&2; journalctl -q --no-pager -o cat -n 5 -u patroni >&2; exit 1; }
  sleep 0.5
done`,
      timeout: '5m',
    },
  ],
})

interface ElectedParams {
  readonly seconds: number
  /** Of the REST APIs of all database hosts: etcd names a primary that is gone for as long as its lease lasts. */
  readonly urls: readonly string[]
}

function leads(urls: readonly string[]): Shell {
  return sh`( for url in ${urls}; do
  PATRONI_URL=$url ${REST} GET /primary 2>/dev/null | tail -n 1 | grep -qx 200 && exit 0
done; exit 1 )`
}

/** Commits wait for this host again. @param name of the replica */
function synchronousAgain(name: string): Command {
  return {
    script: sh`n=0
until PATRONI_TIMEOUT=4 ${REST} GET /cluster 2>/dev/null | grep -q '"role": "\(sync\|quorum\)_standby", "state": "streaming"'; do
  n=$((n + 1)); [ $n -lt 240 ] || { echo ${`No replica is synchronous two minutes after the move; ${name} was the primary.`} >&2; exit 1; }
  sleep 0.5
done`,
    timeout: '4m',
  }
}

interface MemberParams {
  readonly host: string
}

/** Patroni and the server of a replica are stopped, so the primary does not wait for it. Its member of etcd keeps running. */
export const stoppedMember = resource<MemberParams, PatroniState>('patroni stopped', {
  id: ({ host }) => host,
  read: () => readState,
  diff: (_params, { active }) =>
    active ? { action: 'stop', fields: [{ name: 'patroni', from: 'running', to: 'stopped' }] } : undefined,
  apply: (): readonly Command[] => [
    {
      script: sh`said=$(PATRONI_TIMEOUT=4 ${REST} GET /primary 2>/dev/null | tail -n 1)
[ "$said" != 200 ] || { echo 'This host is the primary by now.' >&2; exit 1; }
systemctl disable -q patroni && systemctl stop patroni`,
      timeout: '6m',
    },
  ],
})

interface CopyParams extends MemberParams {
  readonly data: string
}

/** The data of a replica are a new copy of the primary's. The old ones are kept aside. */
export const databaseCopy = resource<CopyParams, PatroniState>('database copy', {
  id: ({ data }) => data,
  read: () => readState,
  diff: ({ host }, { cluster }) => {
    const own = cluster?.members.find(({ name }) => name === host)
    return own?.state === 'streaming' && own.lag !== undefined
      ? undefined
      : { action: 'change', fields: [{ name: 'data', to: 'a copy of the primary, the old data kept aside' }] }
  },
  apply: ({ data }): readonly Command[] => [
    {
      script: sh`data=${data}
said=$(PATRONI_TIMEOUT=4 ${REST} GET /primary 2>/dev/null | tail -n 1)
[ "$said" != 200 ] || { echo 'This host is the primary.' >&2; exit 1; }
systemctl stop patroni || exit 1
pid=$(head -n 1 "$data/postmaster.pid" 2>/dev/null)
if [ "$pid" ] && [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = postgres ]; then echo 'The old server does not end.' >&2; exit 1; fi
[ ! -e "$data" ] || mv -T "$data" "$data.before-$(date -u +%Y%m%dT%H%M%SZ)" || exit 1
systemctl start patroni || exit 1
n=0
until said=$(PATRONI_TIMEOUT=4 ${REST} GET /patroni 2>/dev/null) && case $said in *'"replication_state": "streaming"'*) ;; *) false ;; esac; do
  case $said in *'"state": "creating replica"'*) n=0 ;; esac
  n=$((n + 1)); [ $n -lt 240 ] || { printf '%s\n' 'The copy does not stream:' "$said" >&2; journalctl -q --no-pager -o cat -n 10 -u patroni >&2; exit 1; }
  sleep 0.5
done`,
      timeout: '12h',
    },
  ],
})
