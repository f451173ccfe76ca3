import { type Handler, handler, sh } from 'provision-ts'

/** The maintenance switch of the role keepalived: 1 sends the address to a peer. */
const SWITCH = '/run/keepalived-maint'

/**
 * Restarts haproxy when it runs since before its unit was changed, which a reload cannot put in force. When this host holds
 * the address, a peer takes it for that time; without a peer that could, clients are refused for some 0.3 s.
 *
 * @param dropIn the path of what was changed
 * @param address the one that moves between the balancers
 */
export function restartedFor(dropIn: string, address: string): Handler {
  return handler(
    'restart haproxy if its unit has changed',
    sh`
started=$(systemctl show --timestamp=us+utc -p ExecMainStartTimestamp --value haproxy)
systemctl is-active -q haproxy && find ${dropIn} -newermt "$started" | grep -q . || exit 0
holds() { ip -o address show to ${address} | grep -q .; }
if [ -e ${SWITCH} ] && holds; then
  trap 'echo 0 > '${SWITCH} EXIT
  echo 1 > ${SWITCH}
  tries=0
  while holds && [ "$tries" -lt 50 ]; do sleep 0.1; tries=$((tries + 1)); done
fi
systemctl restart haproxy`,
  )
}
