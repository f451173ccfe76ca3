import { after, ask, askHost, endHost, file, type Host, type Play, play, read, type Step, sh } from 'provision-ts'
import type { Site } from '../schema.ts'

/** A host with this file is in maintenance mode: runs skip it. */
export const MAINTENANCE_FILE = '/var/lib/provision/maintenance'

/** The time at which maintenance started, as `2026-01-31 12:00 UTC`; undefined without maintenance. */
export const maintenanceSince = ask(
  'is it in maintenance?',
  read(
    sh`[ ! -e ${MAINTENANCE_FILE} ] || TZ=UTC stat -c %y ${MAINTENANCE_FILE}`,
    ({ stdout }) => (stdout.trim() === '' ? undefined : `${stdout.trim().slice(0, 16)} UTC`),
    { shared: true },
  ),
)

export function startMaintenance({ name }: Host): Step {
  return file(MAINTENANCE_FILE, `${name} is in maintenance. To end that: ${endOf(name)}\n`)
}

/**
 * The play that excludes hosts in maintenance mode from all others, and reports them. It comes first in a playbook of tiers.
 *
 * @example
 * import { appTier, siteSchema, skipMaintenance } from 'provision-ts/stack'
 *
 * export default playbook(siteSchema, (values) => [skipMaintenance(values), ...appTier(values)])
 */
export function skipMaintenance({ lb, web, app, db, witness }: Site): Play {
  return skipHosts([...db.hosts, ...witness.hosts, ...app.hosts, ...web.hosts, ...lb.hosts])
}

/** The same for some hosts, in an operation that concerns no others. */
export function skipHosts(hosts: readonly Host[]): Play {
  return play('skip hosts in maintenance', { hosts: { hosts } }, (host) =>
    after(askHost(host, maintenanceSince), (since) => {
      return (
        since !== undefined &&
        endHost(`it is in maintenance since ${since}; to end that: ${endOf(host.name)}`, {
          as: 'in maintenance',
        })
      )
    }),
  )
}

function endOf(name: string): string {
  return `provision maintenance --host ${name} --end`
}
