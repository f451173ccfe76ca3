import { createHash } from 'node:crypto'
import { file, type Probe, probe, type Step, service, sh, transaction } from 'provision-ts'
import { activateHaproxy } from '../lib/activation.ts'
import { LOCAL } from '../params.ts'
import { dropInConf, stateScript } from '../templates.ts'

/** Haproxy, and what its probe, its drains and its checks are made with. */
export const PACKAGES = ['haproxy', 'curl', 'socat'] as const

export const CONFIG = '/etc/haproxy/haproxy.cfg'
const STATE_SCRIPT = '/usr/local/libexec/haproxy-state'
const DROP_IN = '/etc/systemd/system/haproxy.service.d/provision.conf'

export interface HaproxyInstance {
  /** haproxy.cfg, which tells its own revision on /revision of {@link LOCAL}. */
  readonly text: (revision: string) => string
  /** What else its revision stands for. @default nothing */
  readonly besides?: string
  /** What it reads beside the configuration. @default nothing */
  readonly files?: readonly Step[]
  /** Connections at one time; each takes two descriptors. */
  readonly maxConnections: number
  /** The address that moves between hosts, where there is one: a peer takes it while haproxy is restarted. */
  readonly address?: string
}

/** The haproxy of a host: its files are valid and in force, or taken back, by a reload wherever that will do. */
export function haproxyInstance({
  text,
  besides = '',
  files = [],
  maxConnections,
  address,
}: HaproxyInstance): readonly Step[] {
  // A reload that fails leaves the old worker in service and is not told by systemctl: the revision tells the two apart.
  const revision = createHash('sha256').update(text('')).update(besides).digest('hex').slice(0, 16)
  return [
    file(
      STATE_SCRIPT,
      stateScript({ state: '/var/lib/haproxy/state', socket: '/run/haproxy/admin.sock', config: CONFIG }),
      { mode: '0755' },
    ),
    transaction(
      'haproxy configuration',
      [
        file(DROP_IN, dropInConf({ openFiles: 2 * maxConnections + 1000, stateScript: STATE_SCRIPT })),
        ...files,
        file(CONFIG, text(revision), { backup: true }),
      ],
      { validate: VALIDATE, activate: activateHaproxy(DROP_IN, address), probe: inForce(revision) },
    ),
    service('haproxy'),
  ]
}

/** A state with a server that is down is a warning, and warnings are refused here: the checker is shown none. */
const VALIDATE = sh`
mount -t tmpfs tmpfs /var/lib/haproxy && echo 1 > /var/lib/haproxy/state && haproxy -c -dW -f ${CONFIG}`

function inForce(revision: string): Probe {
  return probe(
    'haproxy runs with this configuration',
    sh`systemctl is-active haproxy && curl -fsS --max-time 2 -o /dev/null ${`${LOCAL}/alive`} &&
now=$(curl -fsS --max-time 2 ${`${LOCAL}/revision`}) || exit 1
[ "$now" = ${revision} ] && exit 0
printf 'haproxy could not take the new configuration into service:\n'
journalctl -q --no-pager -o cat -n 30 -u haproxy | grep -E 'ALERT|WARNING' | tail -n 10
exit 1`,
    { timeout: '10s' },
  )
}
