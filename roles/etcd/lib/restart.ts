import { type Handler, handler, type Shell, sh } from 'provision-ts'
import { CONTROL, clientUrl, type Member } from '../params.ts'

/**
 * Restarts this member while all others are healthy and none of them restarts: a lock in the cluster itself lets one at a time. A member
 * that does not answer is restarted at once. A wait for the lock ends with an error if the member that answers it restarts, or if the leader
 * changes; then the wait begins again.
 */
export function restartInTurn(member: Member): Handler {
  return handler(
    'restart etcd, one member at a time',
    sh`systemctl is-active -q etcd || exit 0
systemctl daemon-reload
result=$(mktemp) && trap 'rm -f "$result"' EXIT || exit 1
restart() { systemctl restart etcd && ${healthy(member)}; }
if ! ETCDCTL_ENDPOINTS=${clientUrl(member)} ${CONTROL} endpoint health >/dev/null 2>&1; then
  restart || { journalctl -q --no-pager -o cat -n 5 -u etcd >&2; exit 1; }
  exit 0
fi
attempts=0
until ${CONTROL} lock --ttl=60 -- provision-restart /bin/sh -c ${inTurn(member).text} sh "$result" >/dev/null || [ -s "$result" ]; do
  attempts=$((attempts + 1)); [ $attempts -lt 20 ] || break
  sleep 1
done
[ "$(cat "$result")" = done ] || { cat "$result" >&2; journalctl -q --no-pager -o cat -n 5 -u etcd >&2; exit 1; }`,
  )
}

/** Writes `done` into the file that is its first argument. */
function inTurn(member: Member): Shell {
  return sh`result=$1 n=0
until ${CONTROL} endpoint health >"$result" 2>&1; do
  n=$((n + 1)); [ $n -lt 60 ] || { echo 'etcd is not restarted while another member is not healthy.' >> "$result"; exit 0; }
  sleep 1
done
systemctl restart etcd && ${healthy(member)} && echo done > "$result"
exit 0`
}

function healthy(member: Member): Shell {
  return sh`{ tries=0; until ETCDCTL_ENDPOINTS=${clientUrl(member)} ${CONTROL} endpoint health >/dev/null 2>&1; do
  tries=$((tries + 1)); [ $tries -lt 120 ] || exit 1
  sleep 0.5
done; }`
}
