import { type Around, around, each, type Group, type Host, type Shell, sh } from 'provision-ts'
import type { Endpoint } from './index.ts'
import { at } from './unit.ts'

type Server = Host<{ readonly port: number }>

/**
 * A host of the application may be away while it is changed: those who ask it have another one that is ready, and before the next
 * host is begun they ask this one again. The last one that is ready is not changed: its turn fails before it has begun. Asked are
 * the web servers, as it is they who would be left without one.
 */
export function spared(web: Pick<Group, 'hosts'>, { hosts }: Pick<Group<Server>, 'hosts'>): Around<Server> {
  return around('out of app', {
    lost: 'ignore',
    enter: (host: Server) =>
      each(
        web,
        another(
          host,
          hosts.filter(({ name }) => name !== host.name),
        ),
      ),
    idle: IDLE,
    settled: (host: Server) => each(web, noticed(host)),
  })
}

/** By this exit status a web server says that it asks nobody yet, so that nobody is missed. */
const IDLE = 3

const READY = sh`
ready() { curl -fsS -o /dev/null --max-time 2 "http://$1/readyz" 2>/dev/null; }`

function another(host: Server, others: readonly Server[]): Shell {
  return sh`systemctl is-active -q nginx || exit ${IDLE}${READY}
set -- ${others.map(at)}
# The only one there is cannot be spared, and one that is not ready is not missed.
[ $# -gt 0 ] && ready ${at(host)} || exit 0
end=$(($(date +%s) + 15))
while :; do
  for other; do ! ready "$other" || exit 0; done
  [ "$(date +%s)" -lt "$end" ] || { echo ${`${host.name} is the last server of the application that is ready`} >&2; exit 1; }
  sleep 0.3
done`
}

/** Seconds for which nginx leaves a server out that did not answer: it counts in whole ones, so its one may be two. */
const LEFT_OUT = 2.1

function noticed(endpoint: Endpoint): Shell {
  return sh`systemctl is-active -q nginx || exit 0${READY}
end=$(($(date +%s) + 30))
until ready ${at(endpoint)}; do
  [ "$(date +%s)" -lt "$end" ] || { echo ${`${at(endpoint)} is not ready`} >&2; exit 1; }
  sleep 0.2
done
sleep ${LEFT_OUT}`
}
