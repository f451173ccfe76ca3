import { X509Certificate } from 'node:crypto'
import {
  type Answers,
  askHost,
  type Check,
  type Checks,
  check,
  expect,
  type Host,
  type KeyPair,
  type Output,
  output,
  Problem,
  type Shell,
  sh,
} from 'provision-ts'

export interface SiteChecks {
  readonly domain: string
  /** The virtual IP address, with or without its prefix length. */
  readonly vip: string
  readonly certificate: KeyPair
  /** The CA of the certificate, as PEM, in addition to the CAs that the host trusts. */
  readonly authority?: string
  /** A path that every client may get. @default '/' */
  readonly path?: string
}

/** Checks of the site as a client sees it, at the virtual IP address. @param from a host that is not a balancer */
export function siteChecks(from: Host, site: SiteChecks): Checks {
  const { domain, certificate, path = '/' } = site
  const address = site.vip.replace(/\/.*/, '')
  const { thumbprint } = certificate
  const shown = askHost(from, output('the certificate that the site presents', handshake(domain, address)))
  return [
    expect(`the site presents the certificate of the inventory`, shown, (answer) => differs(answer, certificate)),
    validLongEnough(shown, certificate),
    trustedGet(from, { ...site, address, path }),
    thumbprint !== undefined && answersAcme(from, { domain, address, thumbprint }),
    check(
      from,
      'HTTP redirects to HTTPS',
      sh`
said=$(curl -sS -o /dev/null -w '%{http_code} %{redirect_url}' --resolve ${`${domain}:80:${address}`} ${`http://${domain}/a?b`}) || exit 1
[ "$said" = ${`301 https://${domain}/a?b`} ] || { echo "the answer is $said"; exit 1; }`,
    ),
  ]
}

/** Ends with the certificate: `openssl s_client` may wait long for the end of the connection. The check ends its process. */
function handshake(domain: string, address: string): Shell {
  const peer = address.includes(':') ? `[${address}]:443` : `${address}:443`
  return sh`
{ openssl s_client -connect ${peer} -servername ${domain} </dev/null 2>&1 & } | sed '/-----END CERTIFICATE-----/q'`
}

type Shown = Output | Problem | undefined

/** Returns the certificate in the output of {@link handshake}; a Problem if there is none. */
function certificateIn(answer: Shown): X509Certificate | Problem | undefined {
  if (!answer || answer instanceof Problem) return answer
  const [pem] = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/.exec(answer.said) ?? []
  if (pem !== undefined) return new X509Certificate(pem)
  const lines = answer.said.split('\n').filter((line) => line.trim() !== '')
  return new Problem('the site presents no certificate', { details: lines.slice(-2) })
}

function differs(answer: Shown, { certificate }: KeyPair): Problem | undefined {
  const seen = certificateIn(answer)
  if (!(seen instanceof X509Certificate)) return seen
  if (seen.fingerprint256 === new X509Certificate(certificate).fingerprint256) return undefined
  return new Problem('the site presents another certificate', {
    details: [seen.subject, `valid from ${seen.validFrom} to ${seen.validTo}`],
    next: 'Run provision: the balancers load the certificate of the inventory.',
  })
}

const DAY = 24 * 3600 * 1000

function validLongEnough(shown: Answers<Shown>, { certificate, thumbprint }: KeyPair): Check {
  const days = minimumDays(new X509Certificate(certificate))
  const next = thumbprint === undefined ? 'Renew it.' : 'Order it: provision renew-certificates'
  return expect(`the certificate is valid for ${days === 1 ? '1 more day' : `${days} more days`}`, shown, (answer) => {
    const seen = certificateIn(answer)
    if (!(seen instanceof X509Certificate)) return seen
    return Date.parse(seen.validTo) - Date.now() < days * DAY
      ? new Problem(`it is valid until ${seen.validTo}`, { next })
      : undefined
  })
}

/** Less than the remaining time at which it is renewed; at most 14 days. */
function minimumDays({ validFrom, validTo }: X509Certificate): number {
  const life = (Date.parse(validTo) - Date.parse(validFrom)) / DAY
  return Math.min(14, Math.ceil(life / 6))
}

/** Exit codes of curl if the certificate cannot be verified. */
const UNTRUSTED: readonly string[] = ['51', '60']

function trustedGet(
  from: Host,
  {
    domain,
    address,
    path,
    authority = '',
    certificate,
  }: SiteChecks & { readonly address: string; readonly path: string },
): Check {
  const script = sh`${trustAuthority(authority, sh`curl -fsS -o /dev/null --resolve ${`${domain}:443:${address}`} ${`https://${domain}${path}`}`)}
echo "status $?"`
  const answer = askHost(from, output(`GET https://${domain}${path}`, script))
  return expect(`GET https://${domain}${path} succeeds with a trusted certificate`, answer, (got) => {
    if (!got || got instanceof Problem) return got
    const [, words = '', status = ''] = /^(.*)status (\d+)\n$/s.exec(got.said) ?? []
    if (status === '0') return undefined
    const [what, ...details] = words.split('\n').filter((line) => line !== '')
    const order = certificate.thumbprint !== undefined && UNTRUSTED.includes(status)
    return new Problem(what ?? `curl ended with status ${status}`, {
      details,
      ...(order && { next: 'Order it: provision renew-certificates' }),
    })
  })
}

/** The next certificate can be ordered. */
function answersAcme(
  from: Host,
  { domain, address, thumbprint }: { readonly domain: string; readonly address: string; readonly thumbprint: string },
): Check {
  const url = `http://${domain}/.well-known/acme-challenge/verify`
  const answer = askHost(from, output(`GET ${url}`, sh`curl -sS --resolve ${`${domain}:80:${address}`} ${url}`))
  return expect('ACME challenges are answered', answer, (got) => {
    if (!got || got instanceof Problem) return got
    return got.said === `verify.${thumbprint}`
      ? undefined
      : new Problem(`the answer is ${got.said}`, {
          next: 'Run provision: the balancers do not know the account yet.',
        })
  })
}

/** Makes a curl command trust a CA, given as PEM, in addition to those of the host. It leaves no file behind. */
export function trustAuthority(authority: string, curl: Shell): Shell {
  return authority === ''
    ? curl
    : sh`{ cat /etc/ssl/certs/ca-certificates.crt; printf '%s\n' ${authority}; } | CURL_CA_BUNDLE=/dev/stdin ${curl}`
}
