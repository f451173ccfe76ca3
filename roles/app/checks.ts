import { type Check, check, type Host, sh } from 'provision-ts'
import { runs } from '../base/checks.ts'
import { type Endpoint, formatEndpoint } from '../endpoint.ts'
import { type AppParams, runningUnits } from './params.ts'

/** Checks of one application server. */
export function appChecks(
  host: Host & Endpoint,
  { ready = '/', ...params }: Pick<AppParams, 'name' | 'workers' | 'ready'>,
): readonly Check[] {
  const { name } = params
  return [
    ...runningUnits(params).map((unit) => runs(host, unit)),
    check(host, 'the application is ready', sh`curl -sS --fail-with-body ${`http://${formatEndpoint(host)}${ready}`}`, {
      next: `See journalctl -u ${name}.`,
    }),
    runsCurrent(host, name),
  ]
}

/** If the running release is another one, the service was not restarted. The directory of its process shows the release. */
function runsCurrent(host: Host, name: string): Check {
  return check(
    host,
    'the running release is the current one',
    sh`
current=$(readlink -f ${`/srv/${name}/current`}) || { echo 'there is no current release'; exit 1; }
pid=$(systemctl show -p MainPID --value ${name}) || exit 1
[ "$pid" -gt 0 ] || { echo ${`${name} does not run`}; exit 1; }
runs=$(readlink "/proc/$pid/cwd") || exit 1
[ "$runs" = "$current" ] || {
  echo "the current release is \${current##*/}, and it runs \${runs##*/}"; echo ${`To restart it: systemctl restart ${name}`}; exit 1; }`,
  )
}
