import { cidr, directory, file, InvalidParams, pkg, role, sysctl } from 'provision-ts'
import type { Endpoint } from '../endpoint.ts'
import { certificateBundle } from './lib/certificate.ts'
import { ADMIN_PORT, type HaproxyParams, LOCAL_PORT } from './params.ts'
import { haproxyConflicts } from './resources/conflicts.ts'
import { haproxyInstance, PACKAGES } from './resources/instance.ts'
import { haproxyCfg, tlsCurves } from './templates.ts'

export { haproxyLiveness, haproxyReadiness } from './lib/readiness.ts'
export { ADMIN_PORT, type ClientLimits, type HaproxyParams, type HaproxyServer } from './params.ts'
export { drainFrom, drainServer, undrainServer } from './resources/drain.ts'

/** Redirects need few connections, for a short time. */
const PLAIN_CONNECTIONS = 1000

/** Below the directory of Debian's own pages. */
const ERROR_PATH = '/etc/haproxy/errors/provision.html'

const ERROR_PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Service unavailable</title>
<style>body { font: 1rem/1.5 system-ui, sans-serif; margin: 20vh auto; max-width: 30rem; padding: 0 1rem }</style>
<h1>Service unavailable</h1>
<p>The site cannot answer at the moment. Please try again in a minute.</p>
</html>
`

/** A load balancer: terminates TLS at a virtual IP address and balances requests over the web servers. */
export const haproxy = role(
  'haproxy',
  (
    {
      domain,
      certificate,
      servers,
      vip,
      everywhere = false,
      admin,
      maxConnections = 2000,
      clientLimits: { connections = 200, requests = 1000 } = {},
      answerWithin = 30,
      streams = [],
      errorPage = ERROR_PAGE,
    }: HaproxyParams,
    { facts },
  ) => {
    const address = vip.replace(/\/.*/, '')
    const certificatePath = `/etc/haproxy/certs/${domain}.pem` as const
    const { thumbprint } = certificate
    const listen = everywhere ? (address.includes(':') ? '::' : '*') : address
    const clientLimits = { connections, requests }
    const data = {
      domain,
      listen,
      certificatePath,
      thumbprint,
      servers,
      admin,
      maxConnections,
      plainConnections: PLAIN_CONNECTIONS,
      clientLimits,
      answerWithin,
      streams,
      errorPage: ERROR_PATH,
    }
    return [
      haproxyConflicts({ role: 'haproxy', listens: listensOf(listen, admin), files: [certificatePath] }),
      pkg(...PACKAGES),
      sysctl('haproxy', { [`net.${address.includes(':') ? 'ipv6' : 'ipv4'}.ip_nonlocal_bind`]: 1 }),
      directory('/etc/haproxy/certs', { mode: '0700' }),
      ...haproxyInstance({
        text: (revision) => haproxyCfg({ ...data, curves: tlsCurves(facts.os.version), revision }),
        besides: `${certificate.certificate}${errorPage}`,
        files: [file(certificatePath, certificateBundle(certificate, domain)), file(ERROR_PATH, errorPage)],
        maxConnections: maxConnections + PLAIN_CONNECTIONS,
        address,
      }),
    ]
  },
  { os: ['debian 12', 'debian 13'], check: checkParams },
)

/** Returns all addresses and ports of the configuration. */
function listensOf(address: string, admin: HaproxyParams['admin']): readonly Endpoint[] {
  const clients = [80, 443].map((port) => ({ address, port }))
  return [...clients, LOCAL_PORT, ...(admin ? [{ address: admin.address, port: ADMIN_PORT }] : [])]
}

function checkParams({ servers, certificate, domain, admin }: HaproxyParams): void {
  certificateBundle(certificate, domain)
  if (servers.length === 0)
    throw new InvalidParams('haproxy has no servers.', {
      where: 'servers',
      next: 'Add at least one web server.',
    })
  const twice = servers.find(({ name }, i) => servers.findIndex((other) => other.name === name) !== i)
  if (twice)
    throw new InvalidParams(`haproxy has two servers with the name ${twice.name}.`, {
      where: 'servers',
      next: 'Give each server a unique name.',
    })
  const wrong = admin?.from.find((one) => cidr.check(one) === undefined)
  if (wrong !== undefined)
    throw new InvalidParams(`${JSON.stringify(wrong)} is not a network.`, {
      where: 'admin.from',
      next: 'Write it with its prefix length: 10.0.0.0/8.',
    })
}
