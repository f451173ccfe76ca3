import { type Check, check, type Host, sh } from 'provision-ts'
import { runs } from '../base/checks.ts'
import { type Endpoint, formatEndpoint } from '../endpoint.ts'

/** Checks of each server of the application by itself. */
export function appChecks(
  host: Host & Endpoint,
  { name = 'notes' }: { readonly name?: string } = {},
): readonly Check[] {
  return [
    runs(host, name),
    check(
      host,
      'is ready, and so is the database behind it',
      sh`curl -sS --fail-with-body ${`http://${formatEndpoint(host)}/readyz`}`,
      { next: `See journalctl -u ${name}.` },
    ),
    runsCurrent(host, name),
  ]
}

/** A server that answers with another release has not been restarted; one that does not answer has its own reason. */
function runsCurrent(host: Host & Endpoint, name: string): Check {
  return check(
    host,
    'runs the release that is current',
    sh`
current=$(readlink ${`/srv/${name}/current`}) || { echo 'no release is current'; exit 1; }
current=\${current##*/}
said=$(curl -fsS ${`http://${formatEndpoint(host)}/api/whoami`}) || exit 1
case $said in
  *"\"release\":\"$current\""*) ;;
  *) echo "$current is current, and it said $said"; echo ${`To restart it: systemctl restart ${name}`}; exit 1 ;;
esac`,
  )
}
