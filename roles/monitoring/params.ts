import { InvalidParams, type Secret } from 'provision-ts'

export interface MonitoringParams {
  /** The host's own address. Prometheus listens there on port 9090, Alertmanager on 9093. Both have no login: close the ports to others. */
  readonly address: string
  /** The exporters that Prometheus reads. */
  readonly targets: readonly Target[]
  /** The receivers of alerts. */
  readonly receivers: Receivers
  /** The virtual IP address, with or without its prefix length. @default none, so no alert about its holder */
  readonly vip?: string
  /** The number of replicas that follow the primary while all hosts work. @default no alert about lost replicas */
  readonly replicas?: number
  /** True if a target reports the age of the newest backup. @default false */
  readonly backups?: boolean
  /** The limits of the alerts. */
  readonly limits?: Limits
  /** Further rules, or rules with the name of one of the role instead of it. @default none */
  readonly rules?: readonly AlertRule[]
  /** Days for which metrics are kept. @default 30 */
  readonly keepDays?: number
}

export interface Target {
  /** The kind of the exporter, a job of Prometheus. */
  readonly job: 'node' | 'haproxy' | 'nginx' | 'postgres' | 'app'
  /** The name of the host, which is the label `instance` of its metrics. */
  readonly name: string
  readonly address: string
  readonly port: number
  /** The label `tier` of its metrics. */
  readonly tier: string
}

export interface Receivers {
  /** URLs that get each alert as a POST of JSON. They are secrets, as many contain a token. @default none */
  readonly webhooks?: readonly Secret[]
  /** @default no mail */
  readonly mail?: Mail
}

export interface Mail {
  readonly to: readonly string[]
  readonly from: string
  /** The mail server: `mail.example.com:587`. */
  readonly server: string
  /** @default no login */
  readonly login?: { readonly user: string; readonly password: Secret }
  /** Requires TLS by STARTTLS. @default true */
  readonly tls?: boolean
}

export interface Limits {
  /** Used space of a disk, in percent. @default 85 */
  readonly disk?: number
  /** Days before the end of a certificate; a sixth of its lifetime if that is less. @default 14 */
  readonly certificateDays?: number
  /** Seconds by which a replica is behind. @default 30 */
  readonly lagSeconds?: number
  /** Seconds for which a commit waits. @default 10 */
  readonly commitSeconds?: number
  /** Answers 5xx of the site, in percent. @default 5 */
  readonly errors?: number
  /** Hours since the newest backup. @default 26 */
  readonly backupHours?: number
  /** Days for which security updates or a reboot are pending. @default 2 */
  readonly pendingDays?: number
}

export interface AlertRule {
  readonly alert: string
  /** The condition, in PromQL. */
  readonly expr: string
  /** The time for which the condition must hold: `30s`. @default none */
  readonly for?: string
  readonly severity: 'critical' | 'warning'
  /** A sentence for the operator. It may contain labels: `{{ $labels.instance }}`. */
  readonly summary: string
}

export interface NodeExporterParams {
  /** The host's own address. The exporter listens there on port 9100. */
  readonly address: string
  /** Reports the age of the newest backup: for the host of `backupRepository`. @default false */
  readonly backups?: boolean
}

export interface ExporterParams {
  /** The host's own address. The exporter listens there. */
  readonly address: string
}

export const PORTS = {
  prometheus: 9090,
  alertmanager: 9093,
  node: 9100,
  nginx: 9113,
  postgres: 9187,
} as const

/** The user of Debian's exporters, and the role of PostgreSQL with the same name. */
export const MONITOR = 'prometheus'

/** The port on the loopback at which nginx reports its state. */
export const NGINX_STATUS_PORT = 8407

export const LIMITS: Required<Limits> = {
  disk: 85,
  certificateDays: 14,
  lagSeconds: 30,
  commitSeconds: 10,
  errors: 5,
  backupHours: 26,
  pendingDays: 2,
}

export function checkParams({ receivers, targets, limits = {} }: MonitoringParams): void {
  const { webhooks = [], mail } = receivers
  if (webhooks.length === 0 && !mail)
    throw new InvalidParams('The alerts have no receiver.', {
      where: 'receivers',
      next: 'Add a URL to webhooks, or add mail.',
    })
  if (mail?.to.length === 0)
    throw new InvalidParams('The mail with alerts has no recipient.', {
      where: 'receivers.mail.to',
      next: 'Add an address.',
    })
  if (mail && !/^[^\s:]+:\d+$/.test(mail.server))
    throw new InvalidParams(`${JSON.stringify(mail.server)} is not a mail server with its port.`, {
      where: 'receivers.mail.server',
      next: 'Write it as mail.example.com:587.',
    })
  const twice = targets.find(
    (one, i) => targets.findIndex(({ job, name }) => job === one.job && name === one.name) !== i,
  )
  if (twice)
    throw new InvalidParams(`The ${twice.job} exporter of ${twice.name} is in the targets twice.`, {
      where: 'targets',
      next: 'Remove one of them.',
    })
  const wrong = Object.entries(limits).find(([, limit]) => limit !== undefined && !(limit >= 0))
  if (wrong)
    throw new InvalidParams(`${wrong[1]} is not a limit.`, { where: `limits.${wrong[0]}`, next: 'Set 0 or more.' })
}
