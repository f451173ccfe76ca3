import {
  type Build,
  directory,
  dropIn,
  http,
  InvalidParams,
  link,
  markReleaseCurrent,
  type Probe,
  pkg,
  pruneReleases,
  release,
  role,
  type Step,
  service,
  sh,
  transaction,
} from 'provision-ts'
import { at, type Endpoint } from '../endpoint.ts'
import { configured, ROOT, unitDropIn } from './configuration.ts'
import { nginxConflicts } from './conflicts.ts'

export interface NginxParams {
  /** The name that clients ask for. */
  readonly domain: string
  /** The one address and port that it serves on. */
  readonly listen: Endpoint
  /** Worker processes. @default one for each core */
  readonly workers?: number
  /** The servers of the application, which get `/api/` and `/readyz`. */
  readonly upstreams: readonly Endpoint[]
  /**
   * A port of 127.0.0.1 where something spreads requests over them that knows better which of them are away, such as the role
   * upstream: they are then asked directly only while it is not there. @default they are
   */
  readonly through?: number
  /** Whose word on the client's address is taken (X-Forwarded-For). */
  readonly balancers: readonly { readonly address: string }[]
  /** The static files, with an index.html at the top. */
  readonly site: Build
  /**
   * Requests a second that one client may make of the application; ten times as many may come at once, and what is more is told
   * 429. @default no limit
   */
  readonly rate?: number
  /** What pages may load, as a Content-Security-Policy. @default their own origin's scripts, styles, images, fonts and answers */
  readonly contentSecurityPolicy?: string
}

/** Static files, and the way to the application. */
export const nginx = role(
  'nginx',
  (params: NginxParams, { facts }) => [
    nginxConflicts(params.listen),
    pkg('nginx', 'curl', 'logrotate'),
    dropIn('nginx.service', 'provision', unitDropIn({})),
    published(params.site),
    configured(params, facts.cpus),
    service('nginx'),
    service('logrotate.timer'),
  ],
  { debian: [12, 13], check: refuseUnfit },
)

/** True when nginx answers; what is behind it is not asked. */
export function readiness({ address, port }: Endpoint): Probe {
  return http(`http://${at({ address, port })}/healthz`)
}

/** Nginx opens files by the link's name for each request, so the move of the link is all there is to do. */
function published(site: Build): readonly Step[] {
  return [
    directory(`${ROOT}/releases`),
    release(`${ROOT}/releases/${site.id}`, site),
    pruneReleases(ROOT, { wanted: site.id }),
    transaction('site', [link(`${ROOT}/current`, { target: `releases/${site.id}` })], {
      validate: sh`test -f ${ROOT}/current/index.html || { echo 'the site has no index.html'; exit 1; }`,
    }),
    markReleaseCurrent(ROOT, site.id),
  ]
}

function refuseUnfit({ upstreams, balancers, rate = 1 }: NginxParams): void {
  if (!Number.isInteger(rate) || rate < 1)
    throw new InvalidParams(`nginx cannot count to ${rate} requests a second.`, {
      where: 'rate',
      next: 'Give a whole number from 1 on, or nothing for no limit.',
    })
  if (upstreams.length === 0)
    throw new InvalidParams('nginx has no server to pass requests on to.', {
      where: 'upstreams',
      next: 'Name at least one server of the application.',
    })
  if (balancers.length === 0)
    throw new InvalidParams('nginx has no balancer whose word it could take.', {
      where: 'balancers',
      next: 'Name at least one.',
    })
}
