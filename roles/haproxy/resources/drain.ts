import { command, type Drain, drain, type Group, type Host, runOnEach, type Shell, type Step, sh } from 'provision-ts'

const SOCKET = '/run/haproxy/admin.sock'

/** The exit status of `drain` if there is nothing to drain. */
const NOTHING_TO_DO = 3

export interface DrainOptions {
  /** Seconds that open requests may take to finish; then the host changes anyway. @default 30 */
  readonly timeout?: number
  /** If a balancer cannot be reached: see `drain`. @default 'refuse' */
  readonly onUnreachable?: 'refuse' | 'ignore'
}

/**
 * Drains a server on all balancers (or on hosts with the role upstream) while it changes: it gets no new requests, and open requests
 * finish. There is nothing to do where haproxy does not run or does not know the server. The last server in service is not drained: the
 * host fails before anything changes on it.
 *
 * @param backend its name in haproxy.cfg
 */
export function drainFrom(
  balancers: Pick<Group, 'hosts'>,
  backend: string,
  { timeout = 30, onUnreachable }: DrainOptions = {},
): Drain {
  return drain(`backend ${backend}`, {
    drain: ({ name }: Host) =>
      runOnEach(
        balancers,
        sh`idle=${NOTHING_TO_DO}
${drainScript({ backend, name, timeout })}`,
      ),
    nothingToDo: NOTHING_TO_DO,
    ...(onUnreachable && { onUnreachable }),
    undrain: ({ name }: Host) => runOnEach(balancers, ready({ backend, name })),
    ready: ({ name }: Host) => runOnEach(balancers, up({ backend, name })),
  })
}

/** On a balancer: drains the server until {@link undrainServer}. The last server that is up is not drained. */
export function drainServer(server: Server, { timeout = 30 }: DrainOptions = {}): Step {
  return command(`drain ${server.name} in ${server.backend}`, drainScript({ ...server, timeout }), {
    unless: sh`${socketFunctions(server)}
[ "$(($(admin) & 8))" -ne 0 ]`,
  })
}

/** On a balancer: the server gets requests again, and is up. */
export function undrainServer(server: Server): Step {
  return command(`undrain ${server.name} in ${server.backend}`, sh`(${ready(server)}) && (${up(server)})`, {
    unless: sh`${socketFunctions(server)}
[ "$(($(admin) & 8))" -eq 0 ]`,
  })
}

interface Server {
  /** Its name in haproxy.cfg. */
  readonly backend: string
  readonly name: string
}

/** Defines shell functions for the socket. Exits if haproxy does not run or does not know the server. */
function socketFunctions({ backend, name }: Server): Shell {
  return sh`
[ -S ${SOCKET} ] && command -v socat >/dev/null || exit "\${idle:-0}"
send() { printf '%s\n' "$1" | timeout 5 socat -t 5 - UNIX-CONNECT:${SOCKET}; }
backend=${backend} name=${name}
stat=$(send "show stat $backend 4 -1" 2>/dev/null) || exit "\${idle:-0}"
# Fields: 2 name, 5 current sessions, 18 state.
of() { send "show stat $backend 4 -1" | awk -F, -v name="$name" -v field="$1" '$2 == name { print $field }'; }
[ -n "$(of 18)" ] || exit "\${idle:-0}"
# Administrative state as bits; 8 is drain.
admin() { send "show servers state $backend" | awk -v name="$name" '$4 == name { print $7 }'; }
others() { send "show stat $backend 4 -1" | awk -F, -v name="$name" '!/^#/ && NF > 18 && $2 != name { all++; if ($18 ~ /^(UP|no check)/) up++ } END { print all + 0, up + 0 }'; }`
}

function drainScript({ timeout, ...server }: Server & { readonly timeout: number }): Shell {
  return sh`${socketFunctions(server)}
set -- $(others)
# The only server of a backend is not drained.
[ "$1" -gt 0 ] || exit "\${idle:-0}"
end=$(($(date +%s) + ${timeout}))
case $(of 18) in
UP* | 'no check'*)
  while set -- $(others); [ "$2" -eq 0 ]; do
    [ "$(date +%s)" -lt "$end" ] || { echo "$name is the last server of $backend that is up" >&2; exit 1; }
    sleep 0.2
  done
  ;;
esac
said=$(send "set server $backend/$name state drain")
[ -z "$said" ] || { printf '%s\n' "$said" >&2; exit 1; }
end=$(($(date +%s) + ${timeout}))
while [ "$(of 5)" -gt 0 ] && [ "$(date +%s)" -lt "$end" ]; do sleep 0.1; done
exit 0`
}

function ready(server: Server): Shell {
  return sh`${socketFunctions(server)}
said=$(send "set server $backend/$name state ready")
[ -z "$said" ] || { printf '%s\n' "$said" >&2; exit 1; }`
}

function up(server: Server): Shell {
  return sh`${socketFunctions(server)}
end=$(($(date +%s) + 30))
while :; do
  state=$(of 18)
  case $state in UP* | 'no check'*) exit 0 ;; esac
  [ "$(date +%s)" -lt "$end" ] || { echo "$name is $state in $backend" >&2; exit 1; }
  sleep 0.2
done`
}
