import { type Check, check, type Host, sh } from 'provision-ts'
import { runs } from '../base/checks.ts'
import { type Endpoint, formatEndpoint } from '../endpoint.ts'

/** Checks of one application server. */
export function appChecks(
  host: Host & Endpoint,
  { name = 'notes' }: { readonly name?: string } = {},
): readonly Check[] {
  return [
    runs(host, name),
    check(
      host,
      'the application and its database are ready',
      sh`curl -sS --fail-with-body ${`http://${formatEndpoint(host)}/readyz`}`,
      { next: `See journalctl -u ${name}.` },
    ),
    runsCurrent(host, name),
  ]
}

/** If the running release is another one, the service was not restarted. If it does not answer, curl reports the reason. */
function runsCurrent(host: Host & Endpoint, name: string): Check {
  return check(
    host,
    'the running release is the current one',
    sh`
current=$(readlink ${`/srv/${name}/current`}) || { echo 'there is no current release'; exit 1; }
current=\${current##*/}
said=$(curl -fsS ${`http://${formatEndpoint(host)}/api/whoami`}) || exit 1
case $said in
  *"\"release\":\"$current\""*) ;;
  *) echo "the current release is $current, and the answer is $said"; echo ${`To restart it: systemctl restart ${name}`}; exit 1 ;;
esac`,
  )
}
