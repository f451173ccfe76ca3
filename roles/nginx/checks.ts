import { type Check, check, type Host, sh } from 'provision-ts'
import { runs, type Target } from '../base/checks.ts'
import { type Endpoint, formatEndpoint } from '../endpoint.ts'
import { nginxReadiness } from './lib/readiness.ts'

/** Checks of one web server. @param apps the application servers that it uses */
export function nginxChecks(host: Host & Endpoint, apps: readonly Target[]): readonly Check[] {
  const own = `http://${formatEndpoint(host)}`
  // The request comes from the host itself, so the firewall accepts it.
  return [
    runs(host, 'nginx'),
    check(host, 'nginx answers', nginxReadiness(host)),
    check(host, 'nginx serves the page', sh`curl -fsS -o /dev/null ${`${own}/`}`),
    check(host, 'nginx forwards requests to the application', sh`curl -fsS -o /dev/null ${`${own}/readyz`}`),
    ...apps.map((app) =>
      check(host, `${app.name} answers this host`, sh`curl -fsS -o /dev/null ${`http://${formatEndpoint(app)}/livez`}`),
    ),
  ]
}
