import { type Handler, handler, type Probe, probe, type Shell, sh } from 'provision-ts'
import { type Endpoint, formatEndpoint } from '../../endpoint.ts'
import { type AppParams, jobTimers, runningUnits } from '../params.ts'
import { scriptOf } from '../templates.ts'

/** True if the service answers on its path of readiness. @param ready by default `/` */
export function appReadiness({ address, port }: Endpoint, ready = '/'): Probe {
  const url = urlOf({ address, port }, ready)
  return probe(`GET ${url}`, curl(url))
}

interface Startup {
  readonly name: string
  readonly listen: Endpoint
  readonly ready: string
  readonly seconds: number
}

/** The same, after a start. On failure it prints the last lines of the service's log. */
export function startupProbe({ name, listen, ready, seconds }: Startup): Probe {
  const url = urlOf(listen, ready)
  return probe(`GET ${url}`, sh`{ ${curl(url)}; } || { echo; ${lastLogLines(name)}; exit 1; }`, {
    timeout: `${seconds}s`,
  })
}

/** Checks the script and the units. */
export function validation(params: AppParams, current: string): Shell {
  const { name, start, jobs = {} } = params
  const script = start[scriptOf(start) ?? -1]
  const units = [
    ...runningUnits(params).map((one) => `${one}.service`),
    ...Object.keys(jobs).map((job) => `${name}-${job}.service`),
    ...jobTimers(params),
  ]
  const checked = script !== undefined && /\.[cm]?js$/.test(script)
  return sh`cd ${current} || exit 1
${checked ? sh`node --check ${script} || exit 1` : sh`:`}
systemd-analyze verify --man=no ${units}`
}

/** Runs the migration of the current release, unless it ran before on this host: a rollback must not run an old one again. */
function migration(name: string): Shell {
  const unit = `${name}-migrate`
  return sh`release=$(readlink ${`/srv/${name}/current`}) && release=\${release##*/}
list=${`/var/lib/provision/migrated-${name}`}
if [ -e ${`/etc/systemd/system/${unit}.service`} ] && ! grep -qxF "$release" "$list" 2>/dev/null; then
  systemctl start ${unit} || { echo 'The migration failed:'; ${lastLogLines(unit)}; exit 1; }
  mkdir -p /var/lib/provision && printf '%s\n' "$release" >>"$list" || exit 1
fi`
}

interface Restarted {
  /** The service first. */
  readonly units: readonly string[]
  readonly listen: Endpoint
  readonly ready: string
  /** True if it has a migration. */
  readonly migrates: boolean
}

/**
 * Restarts the service with its current files, or stops it if they were removed by a rollback of the first release. A service in a crash
 * loop fails after two restarts, so that the rollback starts soon.
 */
export function restartApp({ units, listen, ready, migrates }: Restarted): Handler {
  const [name = ''] = units
  return handler(
    `restart ${name}`,
    sh`systemctl daemon-reload || exit 1
set --
for unit in ${units}; do
  if [ -e "/etc/systemd/system/$unit.service" ]; then set -- "$@" "$unit"
  else systemctl stop "$unit"; systemctl reset-failed "$unit" 2>/dev/null; fi
done
[ "$#" -gt 0 ] || exit 0
${migrates ? migration(name) : sh`:`}
systemctl restart "$@" || { ${lastLogLines(name)}; exit 1; }
end=$(($(date +%s) + 4))
until ${curl(urlOf(listen, ready))} >/dev/null 2>&1 || [ "$(date +%s)" -ge "$end" ]; do
  for unit in "$@"; do
    deaths=$(systemctl show -p NRestarts --value "$unit")
    if [ "$deaths" -ge 2 ] || systemctl is-failed -q "$unit"; then
      journalctl -q --no-pager -o cat -n 6 -u "$unit"; exit 1
    fi
  done
  sleep 0.2
done`,
  )
}

function urlOf(listen: Endpoint, path: string): string {
  return `http://${formatEndpoint(listen)}${path}`
}

function curl(url: string): Shell {
  return sh`curl -sS --fail-with-body --max-time 2 ${url}`
}

function lastLogLines(name: string): Shell {
  return sh`journalctl -q --no-pager -o cat -n 6 -u ${name}`
}
