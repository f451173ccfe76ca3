import { type Step, sh } from 'provision-ts'
import { noConflicts } from '../../base/resources/conflicts.ts'
import { PORTS } from '../params.ts'

export const CONFIG = '/etc/prometheus/prometheus.yml'

const ALERTMANAGER = '/etc/prometheus/alertmanager.yml'

/** Refuses a host with another configuration of Prometheus or Alertmanager, or with other programs on the ports. */
export function monitoringConflicts(address: string): Step {
  return noConflicts({
    role: 'monitoring',
    config: CONFIG,
    lines: '^[[:space:]]+- targets: ',
    // The packages bring files of their own, which may be replaced.
    more: sh`for path in ${[CONFIG, ALERTMANAGER]}; do
  [ -e "$path" ] || continue
  packaged=$(dpkg-query -W -f '\${Conffiles}\n' prometheus prometheus-alertmanager 2>/dev/null | awk -v path="$path" '$1 == path { print $2; exit }')
  [ "$(md5sum < "$path" | cut -d ' ' -f 1)" = "$packaged" ] || echo "more $path"
done`,
    ports: [PORTS.prometheus, PORTS.alertmanager].map((port) => ({ address, port, configured: `${address}:${port}` })),
    own: ['prometheus', 'prometheus.service', 'prometheus-alertmanager', 'prometheus-alertmanager.service'],
    judge: ({ more }) =>
      more.map((path) => ({
        what: `${path} exists, and the role did not write it`,
        next: 'The role replaces the whole file. Use another host; or move the file away if it is not needed.',
      })),
  })
}
