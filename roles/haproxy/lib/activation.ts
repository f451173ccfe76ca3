import { type Handler, handler, sh } from 'provision-ts'

/** The maintenance switch of the role keepalived: 1 moves the virtual IP address to a peer. */
const SWITCH = '/run/keepalived-maint'

/**
 * Activates the files: by a reload, which clients do not notice, or by a restart if the unit has changed since haproxy started, because
 * process limits need one. If this host holds the virtual IP address, a peer takes it during the restart. Without a peer, clients are
 * refused for about 0.3 s.
 *
 * @param dropIn the path of the unit's drop-in
 * @param address the virtual IP address, if there is one
 */
export function activateHaproxy(dropIn: string, address = ''): Handler {
  return handler(
    'activate the haproxy configuration',
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
# The check of keepalived must notice the failure before the address may return.
systemctl restart haproxy && exit
journalctl -q --no-pager -o cat -n 20 -u haproxy | grep ALERT >&2
sleep 2
exit 1`,
  )
}
