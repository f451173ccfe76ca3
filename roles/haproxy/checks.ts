import { X509Certificate } from 'node:crypto'
import { type Check, check, type Host, type KeyPair, type Shell, sh } from 'provision-ts'
import { runs } from '../base/checks.ts'
import type { HaproxyServer } from './params.ts'

export { type SiteChecks, siteChecks, trustAuthority } from './lib/site-checks.ts'

const SOCKET = '/run/haproxy/admin.sock'

interface BalancerChecks {
  readonly domain: string
  readonly certificate: KeyPair
  readonly servers: readonly Pick<HaproxyServer, 'name'>[]
}

/** Checks of one balancer, with or without the virtual IP address. */
export function haproxyChecks(host: Host, { domain, certificate, servers }: BalancerChecks): readonly Check[] {
  const shown = new X509Certificate(certificate.certificate).fingerprint.replaceAll(':', '')
  return [
    runs(host, 'haproxy'),
    check(host, 'haproxy has servers in service', sh`curl -fsS -o /dev/null http://127.0.0.1:8405/serving`),
    serversInService(host, 'web', servers),
    check(
      host,
      'haproxy has loaded the certificate of the inventory',
      sh`${ask(`show ssl cert /etc/haproxy/certs/${domain}.pem`, 'Serial:')}
printf '%s\n' "$said" | grep -qi ${`fingerprint: ${shown}`} || { echo 'it has another certificate'; exit 1; }`,
      { next: 'Run provision: a reload activates it.' },
    ),
  ]
}

/** All servers of a backend are in service in the haproxy of the host. */
export function serversInService(host: Host, backend: string, servers: readonly Pick<HaproxyServer, 'name'>[]): Check {
  const names = servers.map(({ name }) => name)
  return check(
    host,
    `haproxy has ${names.join(', ')} in service`,
    sh`
${ask(`show stat ${backend} 4 -1`, '# pxname')}
out=
for name in ${names}; do
  state=$(printf '%s\n' "$said" | awk -F, -v name="$name" '$2 == name { print $18 }')
  case $state in UP | 'no check') ;; *) out="$out$name is \${state:-not in its configuration}; " ;; esac
done
[ -z "$out" ] || { echo "$out"; exit 1; }`,
    { next: 'For the state of each server: show stat, on the socket /run/haproxy/admin.sock' },
  )
}

/**
 * Sends a command to haproxy. The answer is in `$said`. No answer is unknown; a refused connection or another answer fails.
 *
 * @param mark a part of each valid answer
 */
function ask(command: string, mark: string): Shell {
  return sh`said=$(printf '%s\n' ${command} | socat -t "\${limit:-10}" - UNIX-CONNECT:${SOCKET} 2>&1) || { echo "$said"; exit 1; }
[ "$said" ] || { echo 'haproxy does not answer on its socket'; exit 75; }
case $said in *${mark}*) ;; *) echo "$said"; exit 1 ;; esac`
}
