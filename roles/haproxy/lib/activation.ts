import { type Handler, handler, sh } from 'provision-ts'

/** The maintenance switch of the role keepalived: 1 sends the address to a peer. */
const SWITCH = '/run/keepalived-maint'

/**
 * Puts the files in force: by a reload, which no client notices; by a restart when the unit has changed since haproxy was
 * started, for limits on a process stay as they were. When this host holds the address, a peer takes it for that time; without
 * a peer that could, clients are refused for some 0.3 s.
 *
 * @param dropIn the path of what changes the unit
 * @param address the one that moves between the balancers, where there is one
 */
export function activateHaproxy(dropIn: string, address = ''): Handler {
  return handler(
    'put the haproxy configuration in force',
    sh`
systemctl daemon-reload || exit 1
started=$(systemctl show --timestamp=us+utc -p ExecMainStartTimestamp --value haproxy)
if ! systemctl is-active -q haproxy || ! find ${dropIn} -newermt "$started" | grep -q .; then
  systemctl reload-or-restart haproxy
  exit
fi
holds() { [ -n ${address} ] && ip -o address show to ${address} | grep -q .; }
if [ -e ${SWITCH} ] && holds; then
  trap 'echo 0 > '${SWITCH} EXIT
  echo 1 > ${SWITCH}
  tries=0
  while holds && [ "$tries" -lt 50 ]; do sleep 0.1; tries=$((tries + 1)); done
fi
# Before the address may come back, its check is to notice that haproxy did not.
systemctl restart haproxy && exit
journalctl -q --no-pager -o cat -n 20 -u haproxy | grep ALERT >&2
sleep 2
exit 1`,
  )
}
