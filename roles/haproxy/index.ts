import {
  cidr,
  directory,
  file,
  type Host,
  http,
  type KeyPair,
  type Probe,
  pkg,
  probe,
  Refusal,
  role,
  service,
  sh,
  sysctl,
  transaction,
} from 'provision-ts'
import { activated } from './activation.ts'
import { bundleOf } from './certificate.ts'
import { configuration, dropInConf, stateScript } from './conf.ts'

export interface HaproxyParams {
  /** The name that clients ask for. Requests over plain HTTP are sent to it by a redirect. */
  readonly domain: string
  /** For the domain, with the chain above it; the leaf comes first. */
  readonly certificate: KeyPair
  /** The web servers. Each has to answer GET /healthz with 200. */
  readonly servers: readonly HaproxyServer[]
  /** The address to listen on, with its prefix length: `198.18.0.10/24`. It need not be on this host. */
  readonly vip: string
  /**
   * Where statistics (`/stats`) and metrics (`/metrics`) are shown to others than this host: at an address of its own, port 8404,
   * for these networks. @default to nobody else
   */
  readonly admin?: { readonly address: string; readonly from: readonly string[] }
  /** Connections from clients at one time; further ones wait. Each takes two descriptors. @default 2000 */
  readonly maxConnections?: number
}

export interface HaproxyServer {
  /** What operations call it: `web/<name>`. */
  readonly name: string
  readonly address: string
  readonly port: number
}

const LOCAL = 'http://127.0.0.1:8405'
const CONFIG = '/etc/haproxy/haproxy.cfg'
const STATE_SCRIPT = '/usr/local/libexec/haproxy-state'
const DROP_IN = '/etc/systemd/system/haproxy.service.d/provision.conf'

/** Where haproxy says that it is there; it answers on the host itself only. */
export const ALIVE = `${LOCAL}/alive`

/** The port of statistics and metrics, where they are shown. */
export const ADMIN_PORT = 8404

/** What has to hold on a balancer after its turn. */
export const alive = (_host?: Host): Probe => http(ALIVE)

/** True when haproxy has a server to send requests to. */
export const serving = (_host?: Host): Probe => http(`${LOCAL}/serving`)

/** Ends TLS at an address that moves between hosts, and spreads requests over the web servers. */
export const haproxy = role(
  'haproxy',
  ({ domain, certificate, servers, vip, admin, maxConnections = 2000 }: HaproxyParams, { facts }) => {
    const address = vip.replace(/\/.*/, '')
    const certificatePath = `/etc/haproxy/certs/${domain}.pem` as const
    const bundle = bundleOf(certificate, domain)
    const { text, revision } = configuration(
      { domain, address, certificatePath, servers, admin, maxConnections },
      { certificate: certificate.certificate, release: facts.os.version },
    )
    return [
      pkg('haproxy', 'curl', 'socat'),
      sysctl('haproxy', { [`net.${address.includes(':') ? 'ipv6' : 'ipv4'}.ip_nonlocal_bind`]: 1 }),
      file(
        STATE_SCRIPT,
        stateScript({ state: '/var/lib/haproxy/state', socket: '/run/haproxy/admin.sock', config: CONFIG }),
        { mode: '0755' },
      ),
      directory('/etc/haproxy/certs', { mode: '0700' }),
      transaction(
        'haproxy configuration',
        [
          file(DROP_IN, dropInConf({ openFiles: 2 * maxConnections + 1000, stateScript: STATE_SCRIPT })),
          file(certificatePath, bundle),
          file(CONFIG, text),
        ],
        { validate: VALIDATE, activate: activated(DROP_IN, address), probe: inForce(revision) },
      ),
      service('haproxy'),
    ]
  },
  { debian: [12, 13], check: refuseUnfit },
)

/** A state with a server that is down is a warning, and warnings are refused here: the checker is shown none. */
const VALIDATE = sh`
mount -t tmpfs tmpfs /var/lib/haproxy && echo 1 > /var/lib/haproxy/state && haproxy -c -dW -f ${CONFIG}`

function inForce(revision: string): Probe {
  return probe(
    'haproxy runs with this configuration',
    sh`systemctl is-active haproxy && curl -fsS --max-time 2 -o /dev/null ${ALIVE} &&
now=$(curl -fsS --max-time 2 ${`${LOCAL}/revision`}) || exit 1
[ "$now" = ${revision} ] && exit 0
printf 'haproxy could not take the new configuration into service:\n'
journalctl -q --no-pager -o cat -n 30 -u haproxy | grep -E 'ALERT|WARNING' | tail -n 10
exit 1`,
    { within: '10s' },
  )
}

function refuseUnfit({ servers, certificate, domain, admin }: HaproxyParams): void {
  bundleOf(certificate, domain)
  if (servers.length === 0)
    throw new Refusal('haproxy has no server to send requests to.', {
      where: 'servers',
      next: 'Name at least one web server.',
    })
  const twice = servers.find(({ name }, i) => servers.findIndex((other) => other.name === name) !== i)
  if (twice) throw new Refusal(`haproxy has two servers of the name ${twice.name}.`, { where: 'servers' })
  const wrong = admin?.from.find((one) => cidr.check(one) === undefined)
  if (wrong !== undefined)
    throw new Refusal(`${JSON.stringify(wrong)} is no network.`, {
      where: 'admin.from',
      next: 'Write it with the length of its prefix: 10.0.0.0/8.',
    })
}
