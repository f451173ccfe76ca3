import { type Host, InvalidParams, type KeyPair } from 'provision-ts'
import { formatEndpoint } from '../endpoint.ts'

/** One of the hosts that hold the data together. */
export interface Member {
  /** The name of the host. */
  readonly name: string
  /** The address for other members and clients. */
  readonly address: string
}

export interface EtcdParams {
  /** The name of the host. */
  readonly name: string
  /** The address for other members and clients. */
  readonly address: string
  /** For its name and address, by `authority`, for servers and clients. */
  readonly certificate: KeyPair
  /** The authority of the certificates of members and clients, as PEM. A client without such a certificate is refused. */
  readonly authority: string
  /** All members, this host too. A host that is added joins a cluster that runs; a host that is removed leaves it. */
  readonly members: readonly Host[]
  /** Tells clusters apart that share a network. It counts for a new cluster only. @default 'provision' */
  readonly token?: string
  /** Milliseconds between two heartbeats of the leader. An election begins after ten times that. @default 100 */
  readonly heartbeat?: number
}

export const CLIENT_PORT = 2379
export const PEER_PORT = 2380

export const CONFIG = '/etc/default/etcd'
export const DROP_IN = '/etc/systemd/system/etcd.service.d/provision.conf'
export const TRUSTED = '/etc/etcd/tls/authority.crt'
export const CERTIFICATE = '/etc/etcd/tls/member.crt'
export const KEY = '/etc/etcd/tls/member.key'
/** etcdctl with the endpoints and the certificate of this member. */
export const CONTROL = '/usr/local/sbin/provision-etcdctl'
export const DATA = '/var/lib/etcd/default'
/** The variables for the first start, and a file that exists once the member has joined. Both share the disk of the data. */
export const INITIAL = '/var/lib/etcd/initial-cluster'
export const JOINED = '/var/lib/etcd/joined'

export function clientUrl({ address }: Pick<Member, 'address'>): string {
  return `https://${formatEndpoint({ address, port: CLIENT_PORT })}`
}

export function peerUrl({ address }: Pick<Member, 'address'>): string {
  return `https://${formatEndpoint({ address, port: PEER_PORT })}`
}

export function refuseMembers({ name, address, members, heartbeat = 100, token = '' }: EtcdParams): void {
  const refused = (what: string, where: string, next: string) => new InvalidParams(what, { where, next })
  if (!members.some((one) => one.name === name && one.address === address))
    throw refused(`The members of etcd do not include this host, ${name}.`, 'members', 'Name all members.')
  const twice = members.find((one, i) =>
    members.slice(0, i).some((other) => other.name === one.name || other.address === one.address),
  )
  if (twice)
    throw refused(`Two members of etcd have the name or the address of ${twice.name}.`, 'members', 'Give each its own.')
  if (!Number.isInteger(heartbeat) || heartbeat < 10 || heartbeat > 5_000)
    throw refused(
      `etcd cannot send a heartbeat every ${heartbeat} ms.`,
      'heartbeat',
      'Give a whole number from 10 to 5000: about the time of a round trip between the members.',
    )
  if (!/^[\w.-]*$/.test(token))
    throw refused(`etcd cannot use the token "${token}".`, 'token', 'Take letters, digits and dashes.')
}
