import { X509Certificate } from 'node:crypto'
import { type Check, check, type Host, type KeyPair, type Shell, sh } from 'provision-ts'
import { runs } from '../base/checks.ts'
import type { HaproxyServer } from './params.ts'

export { type SiteChecks, siteChecks, trustAuthority } from './lib/site-checks.ts'

const SOCKET = '/run/haproxy/admin.sock'

export interface BalancerChecks {
  readonly domain: string
  readonly certificate: KeyPair
  readonly servers: readonly Pick<HaproxyServer, 'name'>[]
}

/** Checks of each balancer by itself, whether it has the address or not. */
export function haproxyChecks(
  host: Host,
  { domain, certificate, servers }: BalancerChecks,
): readonly Check[] {
  const shown = new X509Certificate(certificate.certificate).fingerprint.replaceAll(':', '')
  return [
    runs(host, 'haproxy'),
    check(host, 'has servers to send requests to', sh`curl -fsS -o /dev/null http://127.0.0.1:8405/serving`),
    serversInService(host, 'web', servers),
    check(
      host,
      'holds the certificate of the inventory',
      sh`${told(`show ssl cert /etc/haproxy/certs/${domain}.pem`, 'Serial:')}
printf '%s\n' "$said" | grep -qi ${`fingerprint: ${shown}`} || { echo 'it has another one'; exit 1; }`,
      { next: 'Run the playbook: a reload takes it into service.' },
    ),
  ]
}

/** HAProxy on the host has all servers of a backend in service. */
export function serversInService(
  host: Host,
  backend: string,
  servers: readonly Pick<HaproxyServer, 'name'>[],
): Check {
  const names = servers.map(({ name }) => name)
  return check(
    host,
    `has ${names.join(', ')} in service`,
    sh`
${told(`show stat ${backend} 4 -1`, '# pxname')}
out=
for name in ${names}; do
  state=$(printf '%s\n' "$said" | awk -F, -v name="$name" '$2 == name { print $18 }')
  case $state in UP | 'no check') ;; *) out="$out$name is \${state:-not in its configuration}; " ;; esac
done
[ -z "$out" ] || { echo "$out"; exit 1; }`,
    { next: 'Ask it for the state of each: show stat, on the socket /run/haproxy/admin.sock' },
  )
}

/**
 * The answer of HAProxy to a command, in `$said`. Without an answer the result is unknown; a refused connection and another answer are
 * failures.
 *
 * @param mark a part of each answer
 */
function told(command: string, mark: string): Shell {
  return sh`said=$(printf '%s\n' ${command} | socat -t "\${limit:-10}" - UNIX-CONNECT:${SOCKET} 2>&1) || { echo "$said"; exit 1; }
[ "$said" ] || { echo 'HAProxy does not answer on its socket'; exit 75; }
case $said in *${mark}*) ;; *) echo "$said"; exit 1 ;; esac`
}
