import { absent, file, type Probe, probe, reloaded, type Step, sh, sha256, transaction } from 'provision-ts'
import { formatEndpoint } from '../../endpoint.ts'
import type { NginxParams } from '../params.ts'
import { mainConf, siteConf, upstreamConf } from '../templates.ts'

/** The directory of the site's releases. */
export const ROOT = '/srv/www'

/** The files of nginx: all of them valid and active, or rolled back. */
export function nginxConfiguration(params: NginxParams, cpus: number): Step {
  const {
    domain,
    listen,
    workers = cpus,
    upstreams,
    through,
    balancers,
    rate = 0,
    status,
    site: pages,
    contentSecurityPolicy = pages && OWN_ONLY,
    paths = [pages ? '/api/' : '/'],
    ready,
    websockets = false,
    streams = [],
    bodyLimit = '1m',
    answerWithin = 10,
  } = params
  const main = mainConf({ workers, bodyLimit })
  const exact = ready !== undefined && !paths.some((path) => ready.startsWith(path)) ? ready : undefined
  const upstream = upstreamConf({
    upstreams: upstreams.map(formatEndpoint),
    first: through === undefined ? undefined : `127.0.0.1:${through}`,
  })
  const site = (revision: string) =>
    siteConf({
      domain,
      listen: formatEndpoint(listen),
      balancers: balancers.map(({ address }) => address),
      root: pages && ROOT,
      policy: contentSecurityPolicy,
      paths,
      ready: exact,
      websockets,
      streams,
      uncached: uncachedPattern([...paths, ...streams, ...(exact === undefined ? [] : [exact])]),
      // Longer than the local load balancer waits, whose answer says more.
      readTimeout: websockets ? 3_600 : answerWithin + 2,
      rate,
      status,
      revision,
    })
  const revision = sha256(main + upstream + site('')).slice(0, 12)
  return transaction(
    'nginx configuration',
    [
      file('/etc/nginx/nginx.conf', main, { backup: true }),
      file('/etc/nginx/conf.d/upstream-app.conf', upstream),
      file('/etc/nginx/conf.d/site.conf', site(revision)),
      absent('/etc/nginx/sites-enabled/default'),
    ],
    { validate: VALID, activate: reloaded('nginx'), probe: isActive(formatEndpoint(listen), revision) },
  )
}

/** Matches the URIs that nginx does not answer from files. */
function uncachedPattern(paths: readonly string[]): string {
  const escaped = paths.map((path) => path.slice(1).replace(/[.+?*()[\]{}|^$\\]/g, '\\$&'))
  return escaped.includes('') ? '^/' : `^/(${['healthz', ...escaped].join('|')})`
}

/** On failure, names other files that nginx reads: they may be the reason. */
const VALID = sh`nginx -t -q && exit
for other in /etc/nginx/conf.d/*.conf /etc/nginx/modules-enabled/*.conf; do
  case $other in
    */conf.d/site.conf | */conf.d/upstream-app.conf | *'*'*) ;;
    *) echo "nginx also reads $other, which this role did not write" ;;
  esac
done
exit 1`

const OWN_ONLY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

/** nginx may accept a reload and then keep the old configuration, with only a line in its log. The revision shows which one is active. */
function isActive(server: string, revision: string): Probe {
  return probe(
    'nginx serves the new configuration',
    sh`said=$(curl -fsS --max-time 2 ${`http://${server}/healthz`}) && [ "$said" = ${`ok ${revision}`} ] ||
{ echo "the answer is: $said"; tail -n 5 /var/log/nginx/error.log; exit 1; }`,
    { timeout: '10s' },
  )
}
