import { createHash } from 'node:crypto'
import { file, type Probe, probe, type Step, service, sh, transaction } from 'provision-ts'
import { activateHaproxy } from '../lib/activation.ts'
import { LOCAL } from '../params.ts'
import { dropInConf, stateScript } from '../templates.ts'

/** haproxy, and the programs that probes, drains and checks use. */
export const PACKAGES = ['haproxy', 'curl', 'socat'] as const

export const CONFIG = '/etc/haproxy/haproxy.cfg'
const STATE_SCRIPT = '/usr/local/libexec/haproxy-state'
const DROP_IN = '/etc/systemd/system/haproxy.service.d/provision.conf'

interface HaproxyInstance {
  /** haproxy.cfg, which serves its revision on /revision of {@link LOCAL}. */
  readonly text: (revision: string) => string
  /** Other content that is part of the revision. @default none */
  readonly besides?: string
  /** Other files that haproxy reads. @default none */
  readonly files?: readonly Step[]
  /** Maximum number of connections. Each takes two file descriptors. */
  readonly maxConnections: number
  /** The virtual IP address, if there is one. A peer takes it while haproxy restarts. */
  readonly address?: string
}

/** haproxy of a host: its files are valid and active, or rolled back. A reload activates them where possible. */
export function haproxyInstance({
  text,
  besides = '',
  files = [],
  maxConnections,
  address,
}: HaproxyInstance): readonly Step[] {
  // A failed reload keeps the old worker, and systemctl does not report it. The revision shows which one runs.
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
      { validate: VALIDATE, activate: activateHaproxy(DROP_IN, address), probe: isActive(revision) },
    ),
    service('haproxy'),
  ]
}

/** Warnings are refused. A state file with a server that is down causes one, so the check sees an empty state. */
const VALIDATE = sh`
mount -t tmpfs tmpfs /var/lib/haproxy && echo 1 > /var/lib/haproxy/state && haproxy -c -dW -f ${CONFIG}`

function isActive(revision: string): Probe {
  return probe(
    'haproxy runs with this configuration',
    sh`systemctl is-active haproxy && curl -fsS --max-time 2 -o /dev/null ${`${LOCAL}/alive`} &&
now=$(curl -fsS --max-time 2 ${`${LOCAL}/revision`}) || exit 1
[ "$now" = ${revision} ] && exit 0
printf 'haproxy does not run with the new configuration:\n'
journalctl -q --no-pager -o cat -n 30 -u haproxy | grep -E 'ALERT|WARNING' | tail -n 10
exit 1`,
    { timeout: '10s' },
  )
}
