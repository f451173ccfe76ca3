import { X509Certificate } from 'node:crypto'
import { askHost, type Check, expect, type Host, output, Problem, sh, Unknown } from 'provision-ts'

const DAY = 24 * 3_600_000

/** The certificates of the roles. A pattern may match no file, as no host has all roles. */
export const CERTIFICATE_FILES: readonly string[] = [
  '/etc/haproxy/certs/*.pem',
  '/etc/postgresql/tls/*.crt',
  '/etc/pgbackrest/tls/*.crt',
  '/etc/etcd/tls/*.crt',
  '/etc/patroni/tls/*.crt',
  '/etc/*/authority.pem',
]

/**
 * All certificates of the host are valid for 30 more days, or for a third of their lifetime if that is shorter. Private keys in the
 * files are not read.
 */
export function certificatesValid(host: Host): Check {
  return expect(
    'no certificate expires soon',
    askHost(host, output('its certificates', SCRIPT)),
    (answer) => {
      if (answer === undefined || answer instanceof Problem) return answer
      return expiringCertificates(answer.said, answer.to)
    },
    { next: 'Renew them: provision renew-certificates, or in the inventory; then run the playbook.' },
  )
}

/** Prints a line for each file, then its certificates. */
const SCRIPT = sh`
echo begin
set -- ${CERTIFICATE_FILES}
for pattern in "$@"; do
  for file in $pattern; do
    [ -e "$file" ] || continue
    echo "file $file"
    sed -n '/-----BEGIN CERTIFICATE-----/,/-----END CERTIFICATE-----/p' "$file" || { echo "$file cannot be read"; exit 75; }
  done
done`

/** Returns the certificates in the output of the script that expire soon. @param now in milliseconds */
export function expiringCertificates(said: string, now: number): Problem | string | undefined {
  if (!said.startsWith('begin\n')) return new Unknown('not all certificates could be read')
  const problems = said
    .split(/^file /m)
    .slice(1)
    .flatMap((part) => {
      const [path = ''] = part.split('\n', 1)
      const found = part.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? []
      return found.flatMap((pem) => problemOf(pem, path, now))
    })
  return problems.length === 0 ? undefined : problems.join('; ')
}

function problemOf(pem: string, path: string, now: number): readonly string[] {
  const certificate = parse(pem)
  if (!certificate) return [`a certificate in ${path} cannot be read`]
  const [from, to] = [Date.parse(certificate.validFrom), Date.parse(certificate.validTo)]
  const left = to - now
  if (left >= Math.min(30 * DAY, (to - from) / 3)) return []
  const name = certificate.subject.replace(/^[\s\S]*?CN=([^\n]*)[\s\S]*$/, '$1')
  const days = Math.floor(left / DAY)
  return [
    `${name} in ${path} ${left < 0 ? 'is no longer valid' : `is valid for ${days} more ${days === 1 ? 'day' : 'days'}`}`,
  ]
}

function parse(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem)
  } catch {
    return undefined
  }
}
