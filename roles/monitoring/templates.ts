import { type Secret, template } from 'provision-ts'
import type { AlertRule, Target } from './params.ts'

export interface PrometheusConf {
  /** `address:port` */
  readonly alertmanager: string
  readonly jobs: readonly Job[]
}

export interface Job {
  readonly name: string
  readonly targets: readonly JobTarget[]
}

interface JobTarget extends Pick<Target, 'name' | 'tier'> {
  /** `address:port` */
  readonly at: string
}

export interface RulesConf {
  readonly rules: readonly AlertRule[]
}

export interface AlertmanagerConf {
  readonly webhooks: readonly Secret[]
  readonly mail: MailConf | undefined
}

interface MailConf {
  readonly to: string
  readonly from: string
  readonly server: string
  readonly login: { readonly user: string; readonly password: Secret } | undefined
  readonly tls: boolean
}

export interface HostMetrics {
  readonly output: string
  /** Patterns of the files with certificates. */
  readonly certificates: readonly string[]
  /** The script that prints the content of the repository of backups; undefined on other hosts. */
  readonly backups: string | undefined
}

export interface SitePage {
  /** The virtual IP address. */
  readonly vip: string | undefined
}

export const sitePage = template<SitePage>(import.meta, 'site.html.ejs')
export const prometheusYml = template<PrometheusConf>(import.meta, 'prometheus.yml.ejs')
export const rulesYml = template<RulesConf>(import.meta, 'rules.yml.ejs')
export const alertmanagerYml = template<AlertmanagerConf>(import.meta, 'alertmanager.yml.ejs')
export const hostMetrics = template<HostMetrics>(import.meta, 'host-metrics.ejs')
export const postgresQueries = template<Record<never, never>>(import.meta, 'postgres-queries.yml.ejs')
