import { type Step, sh } from 'provision-ts'
import { type Conflict, type Found, noConflicts } from '../../base/resources/conflicts.ts'
import { type Endpoint, formatEndpoint } from '../../endpoint.ts'

interface AppConflicts {
  readonly name: string
  readonly listen: Endpoint
  readonly metrics?: Endpoint | undefined
}

/** Refuses a host with another unit, user or files of the same name, or with other programs on the ports. */
export function appConflicts({ name, listen, metrics }: AppConflicts): Step {
  const unit = `${name}.service`
  return noConflicts({
    role: 'app',
    config: `/etc/systemd/system/${unit}`,
    lines: '^Environment="(LISTEN|METRICS)=',
    files: [
      ...['/etc/systemd/system/', '/run/systemd/system/', '/usr/lib/systemd/system/'].map((path) => path + unit),
      `/etc/init.d/${name}`,
      ...['authority.pem', 'db-password', 'secrets'].map((file) => `/etc/${name}/${file}`),
    ],
    ports: [
      { ...listen, configured: `"LISTEN=${formatEndpoint(listen)}` },
      ...(metrics ? [{ ...metrics, configured: `"METRICS=${formatEndpoint(metrics)}` }] : []),
    ],
    own: [unit, 'node'],
    more: sh`account=$(getent passwd -- ${name}) && printf 'more %s\n' "$account"`,
    judge,
  })
}

/** A system account without a shell is adopted: it may come from an interrupted run. Those of Debian itself have a uid below 100. */
function judge({ more: [account] }: Found): readonly Conflict[] {
  const [name = '', , uid = '', , , , shell = ''] = account?.split(':') ?? []
  if (account === undefined) return []
  if (Number(uid) >= 1000 || !/\/(?:nologin|false)$/.test(shell))
    return [
      {
        what: `the user ${name} exists and can log in: uid ${uid}, shell ${shell}`,
        next: 'Give the application another name, or remove the user.',
      },
    ]
  return Number(uid) < 100
    ? [{ what: `the user ${name} is an account of Debian: uid ${uid}`, next: 'Give the application another name.' }]
    : []
}
