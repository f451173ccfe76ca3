import { askHost, type Checks, expect, type Host, output, Problem, sh, Unknown } from 'provision-ts'
import { runs } from '../base/checks.ts'
import { formatEndpoint } from '../endpoint.ts'
import { PORTS, type Target } from './params.ts'

/** Prometheus reads all exporters, and its alerts reach Alertmanager. */
export function monitoringChecks(host: Host, targets: readonly Pick<Target, 'job' | 'name'>[]): Checks {
  const own = `http://${formatEndpoint({ address: host.address, port: PORTS.prometheus })}`
  const get = (label: string, path: string) => askHost(host, output(label, sh`curl -fsS ${`${own}${path}`}`))
  return [
    runs(host, 'prometheus'),
    runs(host, 'prometheus-alertmanager'),
    expect(
      'Prometheus reads all exporters',
      get('the targets of Prometheus', '/api/v1/targets?state=active'),
      (answer) => (answer instanceof Problem || !answer ? answer : targetsProblem(answer.said, targets)),
      { next: 'Check the exporter on that host: systemctl status, and its firewall.' },
    ),
    expect(
      'Prometheus sends alerts to Alertmanager',
      get('the Alertmanagers of Prometheus', '/api/v1/alertmanagers'),
      (answer) => (answer instanceof Problem || !answer ? answer : alertmanagerProblem(answer.said)),
      { next: `See journalctl -u prometheus-alertmanager on ${host.name}.` },
    ),
  ]
}

interface Found {
  readonly scrapePool: string
  readonly health: 'up' | 'down' | 'unknown'
  readonly lastError: string
  readonly labels: Readonly<Record<string, string>>
}

/** Returns the targets that Prometheus does not read. @param said the answer of its API */
export function targetsProblem(
  said: string,
  wanted: readonly Pick<Target, 'job' | 'name'>[],
): string | Unknown | undefined {
  const { data } = JSON.parse(said) as { readonly data?: { readonly activeTargets?: readonly Found[] } }
  if (!data?.activeTargets) return new Unknown('Prometheus does not report its targets')
  const all = data.activeTargets
  const states = wanted.map(({ job, name }) => ({
    name: `${job} of ${name}`,
    found: all.find((one) => one.scrapePool === job && one.labels['instance'] === name),
  }))
  const faults = states.flatMap(({ name, found }) => {
    if (!found) return [`${name} is no target`]
    return found.health === 'down' ? [`${name}: ${found.lastError}`] : []
  })
  if (faults.length > 0) return faults.join('; ')
  const unread = states.filter(({ found }) => found?.health !== 'up').map(({ name }) => name)
  return unread.length > 0 ? new Unknown(`not read yet: ${unread.join(', ')}`) : undefined
}

/** Prometheus lists an Alertmanager of its configuration also while that does not answer: the check of its unit shows that. */
export function alertmanagerProblem(said: string): string | Unknown | undefined {
  const { data } = JSON.parse(said) as { readonly data?: { readonly activeAlertmanagers?: readonly object[] } }
  if (!data?.activeAlertmanagers) return new Unknown('Prometheus does not report its Alertmanagers')
  return data.activeAlertmanagers.length > 0 ? undefined : 'Prometheus has no Alertmanager'
}
