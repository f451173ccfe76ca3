import {
  type Build,
  directory,
  dropIn,
  http,
  link,
  type Probe,
  pkg,
  prunedReleases,
  release,
  role,
  type Step,
  service,
  sh,
  transaction,
} from 'provision-ts'
import { at, configured, ROOT } from './configuration.ts'

export interface Endpoint {
  readonly address: string
  readonly port: number
}

export interface NginxParams {
  /** The name that clients ask for. */
  readonly domain: string
  /** The one address and port that it serves on. */
  readonly listen: Endpoint
  /** Worker processes. @default one for each core */
  readonly workers?: number
  /** The servers of the application, which get `/api/` and `/readyz`. */
  readonly upstreams: readonly Endpoint[]
  /** Whose word on the client's address is taken (X-Forwarded-For). */
  readonly balancers: readonly { readonly address: string }[]
  /** The static files, with an index.html at the top. */
  readonly site: Build
  /** What pages may load, as a Content-Security-Policy. @default their own origin's scripts, styles, images, fonts and answers */
  readonly contentSecurityPolicy?: string
}

/** Static files, and the way to the application. */
export const nginx = role('nginx', (params: NginxParams, { facts }) => [
  pkg('nginx', 'curl', 'logrotate'),
  dropIn('nginx.service', 'provision', STOPPING),
  published(params.site),
  configured(params, facts.cpus),
  service('nginx'),
])

/** True when nginx answers; what is behind it is not asked. */
export function healthy({ address, port }: Endpoint): Probe {
  return http(`http://${at({ address, port })}/healthz`)
}

/** Nginx opens files by the link's name for each request, so the move of the link is all there is to do. */
function published(site: Build): readonly Step[] {
  return [
    directory(`${ROOT}/releases`),
    release(`${ROOT}/releases/${site.id}`, site),
    prunedReleases(ROOT, { wanted: site.id }),
    transaction('site', [link(`${ROOT}/current`, { target: `releases/${site.id}` })], {
      validate: sh`test -f ${ROOT}/current/index.html || { echo 'the site has no index.html'; exit 1; }`,
    }),
  ]
}

/** Debian's unit kills what is under way after five seconds, and does not start nginx again when it dies. */
const STOPPING = `[Unit]
StartLimitIntervalSec=0

[Service]
ExecStop=
KillSignal=SIGQUIT
TimeoutStopSec=40
Restart=on-failure
RestartSec=1
`
