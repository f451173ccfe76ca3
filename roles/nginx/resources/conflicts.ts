import { type Step, sh } from 'provision-ts'
import { type Conflict, type Found, noConflicts } from '../../base/resources/conflicts.ts'
import { type Endpoint, formatEndpoint } from '../../endpoint.ts'

const MAIN = '/etc/nginx/nginx.conf'
const SITE = '/etc/nginx/conf.d/site.conf'
const UPSTREAM = '/etc/nginx/conf.d/upstream-app.conf'
const ENABLED = '/etc/nginx/sites-enabled/'

/** Refuses a host with other sites, or with a default server on the same port. Other files in conf.d stay in use. */
export function nginxConflicts(listen: Endpoint): Step {
  return noConflicts({
    role: 'nginx',
    config: SITE,
    others: [MAIN, '/etc/nginx/conf.d/*.conf', `${ENABLED}*`],
    lines: '^[^#]*(listen|include)[[:space:]]',
    files: [SITE, UPSTREAM],
    ports: [{ ...listen, configured: `listen ${formatEndpoint(listen)}` }],
    own: ['nginx', 'nginx.service'],
    more: DEFAULT_SITE,
    judge: (found) => judge(found, formatEndpoint(listen)),
  })
}

/** Prints a line if the site "default" is unchanged since its package was installed. */
const DEFAULT_SITE = sh`site=${`${ENABLED}default`}
[ ! -e "$site" ] || { sum=$(md5sum <"$site"); dpkg-query -W -f '\${Conffiles}\n' nginx-common nginx 2>/dev/null | grep -qF " /etc/nginx/sites-available/default \${sum%% *}" && echo 'more default site'; }`

function judge(found: Found, listen: string): readonly Conflict[] {
  const { isOurs, lines, more } = found
  const paths = new Set(lines.filter(({ text }) => LISTEN.test(text)).map(({ path }) => path))
  const twice = lines.filter(
    ({ path, text }) =>
      path.startsWith('/etc/nginx/conf.d/') && path !== SITE && path !== UPSTREAM && isDefaultFor(text, listen),
  )
  const default_ = twice.map(({ path }) => ({
    what: `${path} has another default server for ${listen}, and nginx refuses two`,
    next: 'Remove default_server from it, or choose another port.',
  }))
  if (isOurs) return default_
  const ended = [...paths].filter(
    (path) => path === MAIN || (path.startsWith(ENABLED) && !(path === `${ENABLED}default` && more.length > 0)),
  )
  const included = lines.flatMap(({ path, text }) => {
    const [, what = ''] = /^[^#]*\binclude\s+([^;]+);/.exec(text) ?? []
    return path === MAIN && what !== '' && !KEPT.test(what) ? [what] : []
  })
  return [
    ...default_,
    ...ended.map((path) => ({
      what: `${path} serves a site that would stop: the role's nginx.conf includes only conf.d/*.conf`,
      next: 'Move the site to a file in /etc/nginx/conf.d, where it stays in use, or remove it.',
    })),
    ...included.map((what) => ({
      what: `${MAIN} includes ${what}, which the role's nginx.conf does not`,
      next: 'Move such files to /etc/nginx/conf.d, or remove the line.',
    })),
  ]
}

const LISTEN = /^[^#]*\blisten\s/

/** The includes of Debian's nginx.conf. Sites are checked by their own files. */
const KEPT = /^(?:\/etc\/nginx\/)?(?:mime\.types|modules-enabled\/\*\.conf|conf\.d\/\*\.conf|sites-enabled\/\*)\s*$/

function isDefaultFor(text: string, listen: string): boolean {
  const [, where, options = ''] = /^[^#]*\blisten\s+([^\s;]+)([^;#]*)/.exec(text) ?? []
  return where === listen && /\bdefault(?:_server)?\b/.test(options)
}
