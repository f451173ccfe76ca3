import { type Check, check, type Host, sh } from 'provision-ts'
import { runs, type Target } from '../base/checks.ts'
import { type Endpoint, formatEndpoint } from '../endpoint.ts'
import { nginxReadiness } from './lib/readiness.ts'

interface NginxChecks {
  /** The application servers that it uses. */
  readonly apps: readonly Target[]
  /** Paths of the application: it can serve requests, and it works. */
  readonly ready: string
  readonly live: string
  /** True if nginx has static files. */
  readonly pages: boolean
}

/** Checks of one web server. */
export function nginxChecks(host: Host & Endpoint, { apps, ready, live, pages }: NginxChecks): readonly Check[] {
  const own = `http://${formatEndpoint(host)}`
  // The request comes from the host itself, so the firewall accepts it.
  return [
    runs(host, 'nginx'),
    check(host, 'nginx answers', nginxReadiness(host)),
    ...(pages ? [check(host, 'nginx serves the page', sh`curl -fsS -o /dev/null ${`${own}/`}`)] : []),
    check(host, 'nginx forwards requests to the application', sh`curl -fsS -o /dev/null ${`${own}${ready}`}`),
    ...apps.map((app) =>
      check(
        host,
        `${app.name} answers this host`,
        sh`curl -fsS -o /dev/null ${`http://${formatEndpoint(app)}${live}`}`,
      ),
    ),
  ]
}
