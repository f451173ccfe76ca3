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

/** A web server for the static files, and a proxy for the application. */
export const nginx = role(
  'nginx',
  (params: NginxParams, { facts }) => [
    nginxConflicts(params.listen),
    pkg('nginx', 'curl', 'logrotate'),
    dropIn('nginx.service', 'provision', unitDropIn({})),
    params.site && siteRelease(params.site),
    nginxConfiguration(params, facts.cpus),
    service('nginx'),
    service('logrotate.timer'),
  ],
  { os: ['debian 12', 'debian 13'], check: checkParams },
)

/** nginx opens files through the link for each request, so moving the link activates the release. */
function siteRelease(site: Build): readonly Step[] {
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

function checkParams({ upstreams, balancers, rate = 1, site, paths, ready, streams = [] }: NginxParams): void {
  if (site && [...(paths ?? []), ...streams].includes('/'))
    throw new InvalidParams('nginx cannot forward all paths and serve static files.', {
      where: 'paths',
      next: 'Name the paths of the application, or leave the static files out.',
    })
  if (site && ready === '/')
    throw new InvalidParams('nginx cannot forward / to the application, because a static file answers it.', {
      where: 'ready',
      next: 'Name another path of the application.',
    })
  if (paths?.length === 0 && !site)
    throw new InvalidParams('nginx has no paths to forward and no static files.', {
      where: 'paths',
      next: 'Name the paths of the application, or leave them out for all.',
    })
  if (!Number.isInteger(rate) || rate < 1)
    throw new InvalidParams(`nginx cannot limit requests to ${rate} per second.`, {
      where: 'rate',
      next: 'Set an integer of 1 or more, or leave it out for no limit.',
    })
  if (upstreams.length === 0)
    throw new InvalidParams('nginx has no application servers.', {
      where: 'upstreams',
      next: 'Add at least one application server.',
    })
  if (balancers.length === 0)
    throw new InvalidParams('nginx has no balancers.', {
      where: 'balancers',
      next: 'Add at least one balancer.',
    })
}
