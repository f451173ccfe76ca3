import {
  command,
  type Drain,
  drain,
  type Group,
  type Host,
  runOnEach,
  type Shell,
  type Step,
  sh,
} from 'provision-ts'

const SOCKET = '/run/haproxy/admin.sock'

/** By this exit status, where it is asked for, `drain` says that there was nobody to drain. */
const IDLE = 3

export interface DrainOptions {
  /** Seconds for requests under way to end, after which the host is changed all the same. @default 30 */
  readonly timeout?: number
  /** What a balancer means that cannot be reached: see `drain`. @default 'refuse' */
  readonly onUnreachable?: 'refuse' | 'ignore'
}

/**
 * Takes a server out of all balancers, or out of the role upstream on those who ask it, for the time of its changes: no new requests, those under way come to their end. Where
 * there is no haproxy yet, or the server is not in it yet, there is nothing to do. The last server in service is not taken out:
 * the host's turn fails before anything is changed on it.
 *
 * @param backend as it stands in haproxy.cfg
 */
export function drainFrom(
  balancers: Pick<Group, 'hosts'>,
  backend: string,
  { timeout = 30, onUnreachable }: DrainOptions = {},
): Drain {
  return drain(`out of ${backend}`, {
    drain: ({ name }: Host) =>
      runOnEach(
        balancers,
        sh`idle=${IDLE}
${drainScript({ backend, name, timeout })}`,
      ),
    nothingToDo: IDLE,
    ...(onUnreachable && { onUnreachable }),
    undrain: ({ name }: Host) => runOnEach(balancers, ready({ backend, name })),
    ready: ({ name }: Host) => runOnEach(balancers, up({ backend, name })),
  })
}

/** On a balancer: the server gets no new requests, until {@link undrainServer}. The last one that is up is not taken out. */
export function drainServer(server: Server, { timeout = 30 }: DrainOptions = {}): Step {
  return command(`${server.name} out of ${server.backend}`, drainScript({ ...server, timeout }), {
    unless: sh`${talk(server)}
[ "$(($(admin) & 8))" -ne 0 ]`,
  })
}

/** On a balancer: the server gets requests again, and passes its checks. */
export function undrainServer(server: Server): Step {
  return command(`${server.name} back in ${server.backend}`, sh`(${ready(server)}) && (${up(server)})`, {
    unless: sh`${talk(server)}
[ "$(($(admin) & 8))" -eq 0 ]`,
  })
}

interface Server {
  /** As it stands in haproxy.cfg. */
  readonly backend: string
  readonly name: string
}

/** Nothing is asked of a haproxy that does not run, or that does not know the server. */
function talk({ backend, name }: Server): Shell {
  return sh`
[ -S ${SOCKET} ] && command -v socat >/dev/null || exit "\${idle:-0}"
tell() { printf '%s\n' "$1" | timeout 5 socat -t 5 - UNIX-CONNECT:${SOCKET}; }
backend=${backend} name=${name}
stat=$(tell "show stat $backend 4 -1" 2>/dev/null) || exit "\${idle:-0}"
# The fields that we look at: 2 name, 5 sessions now, 18 state.
of() { tell "show stat $backend 4 -1" | awk -F, -v name="$name" -v field="$1" '$2 == name { print $field }'; }
[ -n "$(of 18)" ] || exit "\${idle:-0}"
# Bits of what was said of it on the socket; 8 is drain.
admin() { tell "show servers state $backend" | awk -v name="$name" '$4 == name { print $7 }'; }
others() { tell "show stat $backend 4 -1" | awk -F, -v name="$name" '!/^#/ && NF > 18 && $2 != name { all++; if ($18 ~ /^(UP|no check)/) up++ } END { print all + 0, up + 0 }'; }`
}

function drainScript({ timeout, ...server }: Server & { readonly timeout: number }): Shell {
  return sh`${talk(server)}
set -- $(others)
# The only one there is cannot be spared, and is changed while it serves.
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
said=$(tell "set server $backend/$name state drain")
[ -z "$said" ] || { printf '%s\n' "$said" >&2; exit 1; }
end=$(($(date +%s) + ${timeout}))
while [ "$(of 5)" -gt 0 ] && [ "$(date +%s)" -lt "$end" ]; do sleep 0.1; done
exit 0`
}

function ready(server: Server): Shell {
  return sh`${talk(server)}
said=$(tell "set server $backend/$name state ready")
[ -z "$said" ] || { printf '%s\n' "$said" >&2; exit 1; }`
}

function up(server: Server): Shell {
  return sh`${talk(server)}
end=$(($(date +%s) + 30))
while :; do
  state=$(of 18)
  case $state in UP* | 'no check'*) exit 0 ;; esac
  [ "$(date +%s)" -lt "$end" ] || { echo "$name is $state in $backend" >&2; exit 1; }
  sleep 0.2
done`
}
