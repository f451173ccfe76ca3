import { type AlertRule, LIMITS, type Limits, type MonitoringParams } from '../params.ts'

type Watched = Pick<MonitoringParams, 'vip' | 'replicas' | 'backups' | 'limits' | 'rules' | 'targets'>

const DAY = 86_400

/** Longer than any sensible number of missed scrapes on a slow host: a metric counts for this time after the last scrape. */
const BRIDGED = '1m'

/** The rules of the role, and those of the user, which replace rules with the same name. */
export function alertRules({
  vip,
  replicas,
  backups,
  limits = {},
  rules = [],
  targets,
}: Watched): readonly AlertRule[] {
  const given = { ...LIMITS, ...definedOf(limits) }
  const has = (job: string) => targets.some((one) => one.job === job)
  const own = [
    ...hostRules(given),
    ...(vip === undefined ? [] : vipRules(vip.replace(/\/.*/, ''))),
    ...(has('haproxy') ? siteRules(given) : []),
    ...(has('postgres') ? databaseRules(given, replicas) : []),
    ...(backups ? backupRules(given) : []),
    ...OWN,
  ]
  return [...own.filter(({ alert }) => !rules.some((rule) => rule.alert === alert)), ...rules]
}

function definedOf(limits: Limits): Limits {
  return Object.fromEntries(Object.entries(limits).filter(([, limit]) => limit !== undefined))
}

function hostRules({ disk, certificateDays, pendingDays }: Required<Limits>): readonly AlertRule[] {
  const size = 'node_filesystem_size_bytes{fstype!="tmpfs"}'
  const pending = `${pendingDays * 24}h`
  return [
    {
      alert: 'HostDown',
      expr: `max_over_time(up{job="node"}[${BRIDGED}]) == 0`,
      severity: 'critical',
      summary: '{{ $labels.instance }} does not answer.',
    },
    {
      alert: 'ExporterDown',
      expr: `max_over_time(up{job!="node"}[${BRIDGED}]) == 0`,
      severity: 'warning',
      summary: 'The {{ $labels.job }} exporter of {{ $labels.instance }} does not answer.',
    },
    {
      alert: 'DiskFull',
      expr: `100 * (1 - node_filesystem_avail_bytes / ${size}) > ${disk}`,
      for: '20s',
      severity: 'critical',
      summary: '{{ $labels.mountpoint }} of {{ $labels.instance }} is {{ $value | printf "%.0f" }} % full.',
    },
    {
      alert: 'UnitFailed',
      expr: 'node_systemd_unit_state{state="failed"} == 1',
      for: '20s',
      severity: 'warning',
      summary: 'The unit {{ $labels.name }} of {{ $labels.instance }} has failed.',
    },
    {
      alert: 'CertificateExpires',
      expr: `provision_certificate_not_after_seconds - time() < clamp_max((provision_certificate_not_after_seconds - provision_certificate_not_before_seconds) / 6, ${certificateDays * DAY})`,
      severity: 'critical',
      summary: 'A certificate in {{ $labels.path }} of {{ $labels.instance }} expires soon.',
    },
    {
      alert: 'RebootPending',
      expr: 'provision_reboot_pending == 1',
      for: pending,
      severity: 'warning',
      summary: '{{ $labels.instance }} needs a reboot: provision reboot.',
    },
    {
      alert: 'SecurityUpdatesPending',
      expr: 'provision_security_updates_pending > 0',
      for: pending,
      severity: 'warning',
      summary: '{{ $labels.instance }} lacks {{ $value }} security updates: provision update --tier T --packages.',
    },
    {
      alert: 'HostMetricsOld',
      expr: `time() - node_textfile_mtime_seconds{file=~"(.*/)?provision.prom"} > 300 or provision_part_failed == 1 or (up{job="node"} == 1 unless on (instance) provision_reboot_pending)`,
      for: '20s',
      severity: 'warning',
      summary: 'Some metrics of {{ $labels.instance }} are unknown: see provision-host-metrics.service there.',
    },
  ]
}

function vipRules(address: string): readonly AlertRule[] {
  const held = `node_network_address_info{address="${address}"}`
  return [
    {
      alert: 'VipWithoutHolder',
      expr: `(count(last_over_time(${held}[${BRIDGED}])) or vector(0)) == 0`,
      severity: 'critical',
      summary: `No load balancer holds ${address}.`,
    },
    {
      alert: 'VipWithTwoHolders',
      expr: `count(${held}) > 1`,
      for: '30s',
      severity: 'critical',
      summary: `{{ $value }} load balancers hold ${address}.`,
    },
  ]
}

function siteRules({ errors }: Required<Limits>): readonly AlertRule[] {
  const rate = (more: string) => `sum(rate(haproxy_frontend_http_responses_total{proxy="https"${more}}[1m]))`
  return [
    {
      alert: 'ServerErrors',
      expr: `100 * ${rate(',code="5xx"')} / (${rate('')} > 0) > ${errors}`,
      for: '20s',
      severity: 'critical',
      summary: '{{ $value | printf "%.0f" }} % of the answers of the site are errors.',
    },
    {
      alert: 'ServiceDown',
      expr: `max_over_time(nginx_up[${BRIDGED}]) == 0 or max_over_time(pg_up[${BRIDGED}]) == 0`,
      severity: 'critical',
      summary: 'The {{ $labels.job }} server of {{ $labels.instance }} does not answer.',
    },
  ]
}

function databaseRules({ lagSeconds, commitSeconds }: Required<Limits>, replicas = 0): readonly AlertRule[] {
  const primary = 'provision_postgres_is_primary'
  return [
    {
      alert: 'NoPrimary',
      expr: `(max(last_over_time(${primary}[${BRIDGED}])) or vector(0)) == 0`,
      severity: 'critical',
      summary: 'No database host takes writes: provision failover.',
    },
    {
      alert: 'TwoPrimaries',
      expr: `sum(${primary}) > 1`,
      for: '30s',
      severity: 'critical',
      summary: '{{ $value }} database hosts take writes.',
    },
    {
      alert: 'CommitsWait',
      expr: `provision_postgres_commit_wait_seconds > ${commitSeconds}`,
      severity: 'critical',
      summary: 'Commits on {{ $labels.instance }} wait for a replica, for {{ $value | humanizeDuration }}.',
    },
    {
      alert: 'ReplicaLag',
      expr: `provision_postgres_replay_lag_seconds > ${lagSeconds}`,
      for: '30s',
      severity: 'warning',
      summary: '{{ $labels.instance }} is {{ $value | humanizeDuration }} behind the primary.',
    },
    {
      alert: 'ArchivingFails',
      // One attempt takes up to a minute.
      expr: 'provision_postgres_archiving_fails == 1',
      for: '20s',
      severity: 'critical',
      summary: '{{ $labels.instance }} cannot archive its WAL.',
    },
    ...(replicas === 0
      ? []
      : [
          {
            alert: 'ReplicaLost',
            expr: `provision_postgres_streaming_replicas < ${replicas} and ${primary} == 1`,
            for: '30s',
            severity: 'critical',
            summary: `{{ $value }} of ${replicas} replicas follow {{ $labels.instance }}.`,
          } as const,
        ]),
  ]
}

function backupRules({ backupHours }: Required<Limits>): readonly AlertRule[] {
  return [
    {
      alert: 'BackupOld',
      expr: `time() - provision_backup_newest_seconds > ${backupHours * 3600}`,
      severity: 'critical',
      summary: 'The newest backup is {{ $value | humanizeDuration }} old: provision backup.',
    },
  ]
}

/** Alerts about the monitoring itself. */
const OWN: readonly AlertRule[] = [
  {
    alert: 'AlertsNotDelivered',
    expr: 'rate(alertmanager_notification_requests_failed_total[1m]) > 0',
    for: '20s',
    severity: 'critical',
    summary: 'Alertmanager cannot deliver alerts by {{ $labels.integration }}.',
  },
]
