import { dropIn, file, InvalidParams, pkg, probe, reloaded, role, service, sh, transaction, user } from 'provision-ts'
import { weightsFor } from './lib/weights.ts'
import { type KeepalivedParams, MAINTENANCE } from './params.ts'
import { keepalivedConflicts } from './resources/conflicts.ts'
import { type Check, checkScript, dropInConf, keepalivedConf } from './templates.ts'

export type { KeepalivedParams, KeepalivedPeer } from './params.ts'
export { allowVip, moveVipAway, releaseVip } from './resources/vip.ts'

const CONFIG = '/etc/keepalived/keepalived.conf'
/** In a directory that only root can write; otherwise keepalived ignores the script. */
const CHECK = '/usr/local/libexec/keepalived-check'

const CHECKER = 'keepalived_check'

export const reload = reloaded('keepalived')

/** A virtual IP address. The healthy host with the highest priority holds it. */
export const keepalived = role(
  'keepalived',
  (params: KeepalivedParams, { facts }) => {
    const { vip, interface: device = facts.interface, priority, address, peers, routerId = 51 } = params
    const { checkUrl = 'http://127.0.0.1:8405/serving' } = params
    checkInterface(device, facts.interfaces)
    const conf = keepalivedConf({
      name: facts.hostname,
      device,
      address,
      vip,
      peers,
      priority,
      routerId,
      weights: weightsFor([priority, ...peers.map((peer) => peer.priority)]),
      script: CHECK,
      user: CHECKER,
      maintenance: MAINTENANCE,
    })
    return [
      keepalivedConflicts({ config: CONFIG, check: CHECK, vip: vip.replace(/\/.*/, '') }),
      pkg('keepalived'),
      user(CHECKER),
      // Only systemd reads it, so no restart is needed.
      dropIn('keepalived.service', 'provision', dropInConf({ vip, device })),
      transaction(
        'keepalived configuration',
        [file(CHECK, checkScript(requestOf(checkUrl)), { mode: '0755' }), file(CONFIG, conf, { backup: true })],
        { validate: sh`keepalived -t -f ${CONFIG}`, activate: reload, probe: RUNS },
      ),
      service('keepalived'),
    ]
  },
  { os: ['debian 12', 'debian 13'], check: checkParams },
)

const RUNS = probe('keepalived runs', sh`systemctl is-active keepalived`, { timeout: '5s' })

function checkParams({ address, priority, peers, vip, checkUrl }: KeepalivedParams): void {
  const refused = (what: string, where: string, next: string) => new InvalidParams(what, { where, next })
  // Undefined for a host of another group, if types were not checked.
  if (!Number.isInteger(priority) || priority < 1 || priority > 254)
    throw refused(
      `keepalived cannot use a priority of ${priority} for ${address}.`,
      'priority',
      'Set an integer from 1 to 254. Is the host a balancer?',
    )
  if (peers.length === 0) throw refused('keepalived has no peers.', 'peers', 'Add the other balancers.')
  if (peers.some((peer) => peer.address === address))
    throw refused(`keepalived's peers include the host itself: ${address}.`, 'peers', 'Add only the others.')
  const same = peers.find((peer) => peer.priority === priority)
  if (same)
    throw refused(
      `${address} and ${same.address} have the same priority, ${priority}, so both would hold the virtual IP address.`,
      'priority',
      'Give each balancer a different priority.',
    )
  if ([address, ...peers.map((peer) => peer.address)].includes(vip.replace(/\/.*/, '')))
    throw refused(`${vip} is the address of a balancer.`, 'vip', 'Use an address that belongs to no host.')
  if (checkUrl !== undefined && (!URL.canParse(checkUrl) || /['\s]/.test(checkUrl) || !checkUrl.startsWith('http://')))
    throw refused(
      `The check cannot request ${JSON.stringify(checkUrl)}.`,
      'checkUrl',
      'Use a URL that starts with http://.',
    )
}

function requestOf(url: string): Check {
  const { hostname, port, pathname, search } = new URL(url)
  return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 80), path: `${pathname}${search}` }
}

function checkInterface(device: string, all: readonly string[]): void {
  if (all.length === 0 || all.includes(device)) return
  throw new InvalidParams(`The host has no interface ${device}.`, {
    where: 'interface',
    next: `It has ${all.join(', ')}.`,
  })
}
