import { type Handler, handler, type Probe, probe, type Shell, sh } from 'provision-ts'
import { type Endpoint, formatEndpoint } from '../../endpoint.ts'

/** True if the service and its database answer. */
export function appReadiness({ address, port }: Endpoint): Probe {
  const url = urlOf({ address, port })
  return probe(`GET ${url}`, curl(url))
}

/** The same, after a start. On failure it prints the last lines of the service's log. */
export function startupProbe(name: string, listen: Endpoint): Probe {
  const url = urlOf(listen)
  return probe(`GET ${url}`, sh`{ ${curl(url)}; } || { echo; ${lastLogLines(name)}; exit 1; }`, {
    timeout: '30s',
  })
}

/**
 * Restarts the service with its current files, or stops it if they were removed by a rollback of the first release. A service in a crash
 * loop fails after two restarts, so that the rollback starts soon.
 */
export function restartApp(name: string, listen: Endpoint): Handler {
  return handler(
    `restart ${name}`,
    sh`systemctl daemon-reload || exit 1
if [ ! -e /etc/systemd/system/${`${name}.service`} ]; then
  systemctl stop ${name}; systemctl reset-failed ${name} 2>/dev/null; exit 0
fi
systemctl restart ${name} || { ${lastLogLines(name)}; exit 1; }
end=$(($(date +%s) + 4))
until ${curl(urlOf(listen))} >/dev/null 2>&1 || [ "$(date +%s)" -ge "$end" ]; do
  deaths=$(systemctl show -p NRestarts --value ${name})
  if [ "$deaths" -ge 2 ] || systemctl is-failed -q ${name}; then ${lastLogLines(name)}; exit 1; fi
  sleep 0.2
done`,
  )
}

function urlOf(listen: Endpoint): string {
  return `http://${formatEndpoint(listen)}/readyz`
}

function curl(url: string): Shell {
  return sh`curl -sS --fail-with-body --max-time 2 ${url}`
}

function lastLogLines(name: string): Shell {
  return sh`journalctl -q --no-pager -o cat -n 6 -u ${name}`
}
