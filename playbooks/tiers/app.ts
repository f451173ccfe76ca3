import { after, firewall, type Play, play } from 'provision-ts'
import { app, appReadiness } from '../../roles/app/index.ts'
import { base } from '../../roles/base/index.ts'
import { drainFrom } from '../../roles/haproxy/index.ts'
import { RECORD } from '../../roles/postgres/lib/record.ts'
import { NOTES, schema, withSchema } from '../lib/app-database.ts'
import { releaseToDeploy } from '../lib/releases.ts'
import { isStopped, siteSteps, sshFor, type TierOptions, watchedAt } from '../lib/tier.ts'
import { METRICS_PORT, type Site } from '../schema.ts'

/** The application's servers. A host that stops serving answers what it has begun; the web servers ask another meanwhile. */
export function appTier(
  values: Site,
  { label = 'app', serial, release = releaseToDeploy, steps = siteSteps, outage = false }: TierOptions = {},
): readonly Play[] {
  const { app: apps, web, db, passwords, authority, admins, updates } = values
  const drain = outage ? {} : { drain: drainFrom(web, 'app', { onUnreachable: 'ignore' }) }
  return [
    play(
      label,
      {
        hosts: apps,
        serial: serial ?? [1, '50%'],
        isIdle: isStopped('notes'),
        readiness: appReadiness,
        ...drain,
      },
      (host) =>
        steps(host, [
          base({ updates }),
          firewall(
            [{ port: host.port, from: web.hosts }, ...watchedAt(METRICS_PORT, admins)],
            sshFor(admins),
          ),
          after(withSchema(release(host, 'app'), values), ({ chosen, versions }) => [
            schema(values, chosen, versions),
            app({
              release: chosen,
              listen: host,
              metrics: admins === undefined ? undefined : { address: host.address, port: METRICS_PORT },
              databases: db.hosts,
              database: {
                ...{ name: NOTES.name, user: NOTES.user, password: passwords.app },
                ...{ authority, record: RECORD },
              },
            }),
          ]),
        ]),
    ),
  ]
}
