import { createHash } from 'node:crypto'
import type { Site } from './site.ts'

/** A hash of the state that the job creates. @throws Error if hosts differ */
export async function stateHash(site: Site): Promise<string> {
  const states = await site.everywhere(STATE)
  const odd = states.findIndex((state) => state !== states[0])
  if (odd > 0) throw new Error(`${site.names[odd]} differs from ${site.names[0]}`)
  return createHash('sha256')
    .update(states[0] ?? '')
    .digest('hex')
    .slice(0, 12)
}

const STATE = `
dpkg-query -W -f '\${Package} \${db:Status-Abbrev}\\n' cron jq memcached tree
for user in worker sweeper; do getent passwd $user | cut -d: -f1,6,7; id -Gn $user | tr ' ' '\\n' | sort; done
find /srv/job /usr/local/bin/job-tree -printf '%p %y %m %u %g %l\\n' | sort
find /srv/job -type f | sort | xargs sha256sum
for file in login.defs adduser.conf shells profile; do stat -c '%n %a %U %G' /etc/$file; sha256sum /etc/$file; done
for unit in cron memcached; do systemctl is-active $unit; systemctl is-enabled $unit; done`
