import { type Check, check, type Host, sh } from 'provision-ts'
import { type Door, runs } from '../base/checks.ts'
import { at, type Endpoint } from '../endpoint.ts'
import { readiness } from './index.ts'

/** Checks of each web server by itself. @param apps the servers that it passes requests on to */
export function nginxChecks(host: Host & Endpoint, apps: readonly Door[]): readonly Check[] {
  const own = `http://${at(host)}`
  // Its address is of this host, so its firewall lets this through.
  return [
    runs(host, 'nginx'),
    check(host, 'answers', readiness(host)),
    check(host, 'serves the page', sh`curl -fsS -o /dev/null ${`${own}/`}`),
    check(host, 'passes requests on to the application', sh`curl -fsS -o /dev/null ${`${own}/readyz`}`),
    ...apps.map((app) =>
      check(host, `gets answers from ${app.name}`, sh`curl -fsS -o /dev/null ${`http://${at(app)}/livez`}`),
    ),
  ]
}
