import { type Handler, handler, type Probe, probe, type Shell, sh } from 'provision-ts'
import { type Endpoint, formatEndpoint } from '../../endpoint.ts'

/** True when the service can do its work, the database with it. */
export function appReadiness({ address, port }: Endpoint): Probe {
  const url = urlOf({ address, port })
  return probe(`GET ${url}`, asked(url))
}

/** The same; when it does not come true, the service's own last words are the best explanation. */
export function startupProbe(name: string, listen: Endpoint): Probe {
  const url = urlOf(listen)
  return probe(`GET ${url}`, sh`{ ${asked(url)}; } || { echo; ${lastWords(name)}; exit 1; }`, {
    timeout: '30s',
  })
}

/**
 * Restarts the service as its files now say; when its first release was taken back there is none, and it stops. One that dies
 * again and again is given up after two seconds: waiting longer would only keep its predecessor from serving.
 */
export function restartApp(name: string, listen: Endpoint): Handler {
  return handler(
    `restart ${name}`,
    sh`systemctl daemon-reload || exit 1
if [ ! -e /etc/systemd/system/${`${name}.service`} ]; then
  systemctl stop ${name}; systemctl reset-failed ${name} 2>/dev/null; exit 0
fi
systemctl restart ${name} || { ${lastWords(name)}; exit 1; }
end=$(($(date +%s) + 4))
until ${asked(urlOf(listen))} >/dev/null 2>&1 || [ "$(date +%s)" -ge "$end" ]; do
  deaths=$(systemctl show -p NRestarts --value ${name})
  if [ "$deaths" -ge 2 ] || systemctl is-failed -q ${name}; then ${lastWords(name)}; exit 1; fi
  sleep 0.2
done`,
  )
}

function urlOf(listen: Endpoint): string {
  return `http://${formatEndpoint(listen)}/readyz`
}

function asked(url: string): Shell {
  return sh`curl -sS --fail-with-body --max-time 2 ${url}`
}

function lastWords(name: string): Shell {
  return sh`journalctl -q --no-pager -o cat -n 6 -u ${name}`
}
