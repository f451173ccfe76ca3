import { file, type RoleContext, role, type Steps, service, sh, unit } from 'provision-ts'
import { REPOSITORY_INFO } from '../backup/lib/repository-info.ts'
import { CERTIFICATE_FILES } from '../base/lib/certificate-expiry.ts'
import { formatEndpoint } from '../endpoint.ts'
import { alertRules } from './lib/rules.ts'
import {
  checkParams,
  type ExporterParams,
  MONITOR,
  type MonitoringParams,
  NGINX_STATUS_PORT,
  type NodeExporterParams,
  PORTS,
  type Target,
} from './params.ts'
import { CONFIG, monitoringConflicts } from './resources/conflicts.ts'
import { exporter } from './resources/exporter.ts'
import { server } from './resources/server.ts'
import {
  alertmanagerYml,
  hostMetrics,
  type Job,
  postgresQueries,
  prometheusYml,
  rulesYml,
  sitePage,
} from './templates.ts'

export {
  type AlertRule,
  type ExporterParams,
  type Limits,
  type Mail,
  MONITOR,
  type MonitoringParams,
  NGINX_STATUS_PORT,
  type NodeExporterParams,
  PORTS as MONITORING_PORTS,
  type Receivers,
  type Target,
} from './params.ts'

const SYSTEMS = { os: ['debian 12', 'debian 13'] } as const

/** Prometheus with alert rules, and Alertmanager, which sends the alerts. */
export const monitoring = role(
  'monitoring',
  (params: MonitoringParams, { facts }: RoleContext): Steps => {
    const { address, targets, receivers, vip, keepDays = 30 } = params
    const { webhooks = [], mail } = receivers
    const own = formatEndpoint({ address, port: PORTS.prometheus })
    const alertmanager = formatEndpoint({ address, port: PORTS.alertmanager })
    const programs = [
      { name: 'prometheus', targets: [{ name: facts.hostname, tier: 'monitoring', at: own }] },
      { name: 'alertmanager', targets: [{ name: facts.hostname, tier: 'monitoring', at: alertmanager }] },
    ]
    return [
      monitoringConflicts(address),
      server({
        ...{ unit: 'prometheus-alertmanager', metrics: 'alertmanager', url: `http://${alertmanager}` },
        // One Alertmanager has no cluster.
        args: [`--web.listen-address=${alertmanager}`, '--cluster.listen-address='],
        files: [
          {
            path: '/etc/prometheus/alertmanager.yml',
            content: alertmanagerYml({
              webhooks,
              mail: mail && { ...mail, to: mail.to.join(', '), login: mail.login, tls: mail.tls ?? true },
            }),
          },
        ],
        validate: sh`said=$(amtool check-config /etc/prometheus/alertmanager.yml 2>&1) || { printf '%s\n' "$said"; exit 1; }`,
      }),
      server({
        ...{ unit: 'prometheus', metrics: 'prometheus', url: `http://${own}` },
        args: [`--web.listen-address=${own}`, `--storage.tsdb.retention.time=${keepDays}d`],
        files: [
          { path: CONFIG, content: prometheusYml({ alertmanager, jobs: [...jobsOf(targets), ...programs] }) },
          { path: '/etc/prometheus/provision-rules.yml', content: rulesYml({ rules: alertRules(params) }) },
        ],
        // It checks the files with rules too.
        validate: sh`said=$(promtool check config ${CONFIG} 2>&1) || { printf '%s\n' "$said"; exit 1; }`,
      }),
      file('/etc/prometheus/consoles/site.html', sitePage({ vip: vip?.replace(/\/.*/, '') })),
    ]
  },
  { ...SYSTEMS, check: checkParams },
)

function jobsOf(targets: readonly Target[]): readonly Job[] {
  return [...new Set(targets.map(({ job }) => job))].map((name) => ({
    name,
    targets: targets.filter(({ job }) => job === name).map((one) => ({ ...one, at: formatEndpoint(one) })),
  }))
}

/** File systems that hold no data. Unlike the exporter's default, `overlay` is not one of them: it is the root of a container. */
const NO_DISKS =
  '^(autofs|binfmt_misc|bpf|cgroup2?|configfs|debugfs|devpts|devtmpfs|efivarfs|fusectl|hugetlbfs|iso9660|mqueue|nsfs|proc|procfs|pstore|ramfs|rpc_pipefs|securityfs|selinuxfs|squashfs|sysfs|tmpfs|tracefs)\\$'

const SCRIPT = '/usr/local/libexec/provision-host-metrics'

/** Metrics of a host: of Debian's node exporter, and of a script for certificates, pending updates and reboots, and backups. */
export const nodeExporter = role(
  'node-exporter',
  ({ address, backups = false }: NodeExporterParams): Steps => [
    exporter({
      unit: 'prometheus-node-exporter',
      url: `http://${formatEndpoint({ address, port: PORTS.node })}`,
      args: [
        `--web.listen-address=${formatEndpoint({ address, port: PORTS.node })}`,
        '--collector.netdev.address-info',
        `--collector.filesystem.fs-types-exclude=${NO_DISKS}`,
      ],
    }),
    file(
      SCRIPT,
      hostMetrics({
        output: '/var/lib/prometheus/node-exporter/provision.prom',
        certificates: CERTIFICATE_FILES,
        backups: backups ? REPOSITORY_INFO.text : undefined,
      }),
      { mode: '0755' },
    ),
    unit('provision-host-metrics.service', METRICS_UNIT),
    unit('provision-host-metrics.timer', METRICS_TIMER),
    service('provision-host-metrics.timer'),
  ],
  SYSTEMS,
)

const METRICS_UNIT = `[Unit]
Description=Metrics of this host for the node exporter

[Service]
Type=oneshot
ExecStart=${SCRIPT}
Nice=10
ProtectSystem=strict
ReadWritePaths=/var/lib/prometheus/node-exporter /run -/var/log/pgbackrest -/tmp
ProtectHome=yes
NoNewPrivileges=yes
# The journal has a line for each failure, not for each run.
LogLevelMax=notice
`

const METRICS_TIMER = `[Unit]
Description=Metrics of this host for the node exporter

[Timer]
OnActiveSec=0
OnUnitActiveSec=30s
AccuracySec=1s

[Install]
WantedBy=timers.target
`

/** Metrics of PostgreSQL. Needs the role {@link MONITOR} in the database: the param `monitor` of the database roles. */
export const postgresExporter = role(
  'postgres-exporter',
  ({ address }: ExporterParams): Steps =>
    exporter({
      unit: 'prometheus-postgres-exporter',
      url: `http://${formatEndpoint({ address, port: PORTS.postgres })}`,
      files: [file('/etc/prometheus-postgres-exporter.yml', postgresQueries({}))],
      environment: [`DATA_SOURCE_NAME="user=${MONITOR} host=/run/postgresql dbname=postgres"`],
      args: [
        `--web.listen-address=${formatEndpoint({ address, port: PORTS.postgres })}`,
        '--extend.query-path=/etc/prometheus-postgres-exporter.yml',
      ],
    }),
  SYSTEMS,
)

/** Metrics of nginx. Needs its state on the loopback: the param `status` of the role nginx. */
export const nginxExporter = role(
  'nginx-exporter',
  ({ address }: ExporterParams): Steps =>
    exporter({
      unit: 'prometheus-nginx-exporter',
      url: `http://${formatEndpoint({ address, port: PORTS.nginx })}`,
      args: [
        `--web.listen-address=${formatEndpoint({ address, port: PORTS.nginx })}`,
        `--nginx.scrape-uri=http://127.0.0.1:${NGINX_STATUS_PORT}/`,
      ],
    }),
  SYSTEMS,
)
