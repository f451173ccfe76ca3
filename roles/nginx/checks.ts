import { type Check, check, type Host, sh } from 'provision-ts'
import { runs, type Target } from '../base/checks.ts'
import { type Endpoint, formatEndpoint } from '../endpoint.ts'
import { nginxReadiness } from './lib/readiness.ts'

/** Checks of each web server by itself. @param apps the servers that it passes requests on to */
export function nginxChecks(host: Host & Endpoint, apps: readonly Target[]): readonly Check[] {
  const own = `http://${formatEndpoint(host)}`
  // Its address is of this host, so its firewall lets this through.
  return [
    runs(host, 'nginx'),
    check(host, 'answers', nginxReadiness(host)),
    check(host, 'serves the page', sh`curl -fsS -o /dev/null ${`${own}/`}`),
    check(host, 'passes requests on to the application', sh`curl -fsS -o /dev/null ${`${own}/readyz`}`),
    ...apps.map((app) =>
      check(
        host,
        `gets answers from ${app.name}`,
        sh`curl -fsS -o /dev/null ${`http://${formatEndpoint(app)}/livez`}`,
      ),
    ),
  ]
}
