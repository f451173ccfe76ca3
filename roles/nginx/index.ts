import {
  type Build,
  directory,
  dropIn,
  InvalidParams,
  link,
  markReleaseCurrent,
  pkg,
  pruneReleases,
  release,
  role,
  type Step,
  service,
  sh,
  transaction,
} from 'provision-ts'
import type { NginxParams } from './params.ts'
import { nginxConfiguration, ROOT } from './resources/configuration.ts'
import { nginxConflicts } from './resources/conflicts.ts'
import { unitDropIn } from './templates.ts'

export { nginxReadiness } from './lib/readiness.ts'
export type { NginxParams } from './params.ts'

/** Static files, and the way to the application. */
export const nginx = role(
  'nginx',
  (params: NginxParams, { facts }) => [
    nginxConflicts(params.listen),
    pkg('nginx', 'curl', 'logrotate'),
    dropIn('nginx.service', 'provision', unitDropIn({})),
    published(params.site),
    nginxConfiguration(params, facts.cpus),
    service('nginx'),
    service('logrotate.timer'),
  ],
  { debian: [12, 13], check: refuseUnfit },
)

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
