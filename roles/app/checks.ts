import { type Check, check, type Host, sh } from 'provision-ts'
import { runs } from '../base/checks.ts'
import { at, type Endpoint } from '../endpoint.ts'
import { ready } from './index.ts'

/** What holds of each server of the application by itself. */
export function appChecks(
  host: Host & Endpoint,
  { name = 'notes' }: { readonly name?: string } = {},
): readonly Check[] {
  return [
    runs(host, name),
    check(host, 'is ready, and so is the database behind it', ready(host), {
      next: `See journalctl -u ${name}.`,
    }),
    check(
      host,
      'runs the release that is current',
      sh`
current=$(readlink ${`/srv/${name}/current`})
current=\${current##*/}
said=$(curl -fsS --max-time 3 ${`http://${at(host)}/api/whoami`}) || { echo "$said"; exit 1; }
case $said in *"\"release\":\"$current\""*) ;; *) echo "$current is current, and it said $said"; exit 1 ;; esac`,
      { next: `It was not restarted since the release was switched: systemctl restart ${name}` },
    ),
  ]
}
