import { X509Certificate } from 'node:crypto'
import { type Check, type Checks, check, type Host, type KeyPair, sh } from 'provision-ts'
import { runs } from '../base/checks.ts'
import type { HaproxyServer } from './index.ts'

const SOCKET = '/run/haproxy/admin.sock'

export interface BalancerChecks {
  readonly domain: string
  readonly certificate: KeyPair
  readonly servers: readonly Pick<HaproxyServer, 'name'>[]
}

/** What holds of each balancer by itself, whether it has the address or not. */
export function haproxyChecks(
  host: Host,
  { domain, certificate, servers }: BalancerChecks,
): readonly Check[] {
  const shown = new X509Certificate(certificate.certificate).fingerprint.replaceAll(':', '')
  return [
    runs(host, 'haproxy'),
    check(
      host,
      'has servers to send requests to',
      sh`curl -fsS -o /dev/null --max-time 2 http://127.0.0.1:8405/serving`,
    ),
    inService(host, 'web', servers),
    check(
      host,
      'holds the certificate of the inventory',
      sh`${told(`show ssl cert /etc/haproxy/certs/${domain}.pem`)} | grep -qi ${`fingerprint: ${shown}`} ||
{ echo 'it shows another one'; exit 1; }`,
      { next: 'Run the playbook: a reload takes it into service.' },
    ),
  ]
}

/** Whether haproxy on the host has all servers of a backend in service. */
export function inService(
  host: Host,
  backend: string,
  servers: readonly Pick<HaproxyServer, 'name'>[],
): Check {
  const names = servers.map(({ name }) => name)
  return check(
    host,
    `has ${names.join(', ')} in service`,
    sh`
said=$(${told(`show stat ${backend} 4 -1`)})
out=
for name in ${names}; do
  state=$(printf '%s\n' "$said" | awk -F, -v name="$name" '$2 == name { print $18 }')
  case $state in UP | 'no check') ;; *) out="$out$name is \${state:-not in its configuration}; " ;; esac
done
[ -z "$out" ] || { echo "$out"; exit 1; }`,
    { next: 'See its word on each: show stat, on the socket /run/haproxy/admin.sock' },
  )
}

function told(command: string) {
  return sh`printf '%s\n' ${command} | timeout 5 socat -t 5 - UNIX-CONNECT:${SOCKET}`
}

export interface SiteChecks {
  readonly domain: string
  /** The address that moves between the balancers, with or without its prefix length. */
  readonly vip: string
  readonly certificate: KeyPair
  /** Who signed it, as PEM, beside the authorities that the host knows. */
  readonly authority?: string
  /** A path that anybody gets. @default '/' */
  readonly path?: string
}

/** What a client sees who asks at the address. @param from a host that is none of the balancers */
export function siteChecks(
  from: Host,
  { domain, vip, certificate, authority = '', path = '/' }: SiteChecks,
): Checks {
  const address = vip.replace(/\/.*/, '')
  const { thumbprint } = certificate
  const held = new X509Certificate(certificate.certificate)
  const shown = held.fingerprint256
  const days = daysToSpare(held)
  const next = thumbprint === undefined ? 'Renew it.' : 'Order it: provision renew-certificates'
  const leaf = sh`leaf=$(timeout 5 openssl s_client -connect ${`${address}:443`} -servername ${domain} </dev/null 2>&1) || { printf '%s\n' "$leaf" | tail -n 2; exit 1; }`
  return [
    check(
      from,
      `sees the certificate for ${domain} of the inventory`,
      sh`${leaf}
printf '%s\n' "$leaf" | openssl x509 -noout -fingerprint -sha256 | grep -qF ${shown} || { printf '%s\n' "$leaf" | openssl x509 -noout -subject -dates; exit 1; }`,
    ),
    check(
      from,
      `finds it good for ${days === 1 ? 'a day' : `${days} days`} more`,
      sh`${leaf}
printf '%s\n' "$leaf" | openssl x509 -noout -checkend ${days * 24 * 3600} >/dev/null || { printf '%s\n' "$leaf" | openssl x509 -noout -enddate; exit 1; }`,
      { next },
    ),
    check(
      from,
      `gets https://${domain}${path}, and trusts who answers`,
      sh`${trusting(authority)}
curl -fsS -o /dev/null --max-time 5 --cacert "$trusted" --resolve ${`${domain}:443:${address}`} ${`https://${domain}${path}`}`,
      thumbprint === undefined ? {} : { next },
    ),
    thumbprint !== undefined && answersAcme(from, { domain, address, thumbprint }),
    check(
      from,
      'is sent from HTTP to HTTPS',
      sh`
said=$(curl -sS -o /dev/null -w '%{http_code} %{redirect_url}' --max-time 5 --resolve ${`${domain}:80:${address}`} ${`http://${domain}/a?b`})
[ "$said" = ${`301 https://${domain}/a?b`} ] || { echo "it said $said"; exit 1; }`,
    ),
  ]
}

/** Less than what it has left when it is renewed, and a fortnight at most. */
function daysToSpare({ validFrom, validTo }: X509Certificate): number {
  const life = (Date.parse(validTo) - Date.parse(validFrom)) / (24 * 3600 * 1000)
  return Math.min(14, Math.ceil(life / 6))
}

/** Whether the next certificate will be had. */
function answersAcme(
  from: Host,
  {
    domain,
    address,
    thumbprint,
  }: { readonly domain: string; readonly address: string; readonly thumbprint: string },
): Check {
  return check(
    from,
    'gets the answer that an ACME server wants',
    sh`
said=$(curl -sS --max-time 5 --resolve ${`${domain}:80:${address}`} ${`http://${domain}/.well-known/acme-challenge/verify`})
[ "$said" = ${`verify.${thumbprint}`} ] || { echo "it said $said"; exit 1; }`,
    { next: 'Run the playbook: the balancers do not know the account yet.' },
  )
}

/** A file of all whom to trust, in `$trusted`, for as long as the script lasts. */
export function trusting(authority: string) {
  return sh`
trusted=$(mktemp -p /run) || exit 1
trap 'rm -f "$trusted"' EXIT
{ cat /etc/ssl/certs/ca-certificates.crt; printf '%s\n' ${authority}; } > "$trusted"`
}
