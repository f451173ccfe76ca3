export interface KeepalivedParams {
  /** The virtual IP address, with its prefix length: `198.18.0.10/24`. */
  readonly vip: string
  /** The network interface of the address. @default the interface of the default route */
  readonly interface?: string
  /** From 1 to 254. The healthy host with the highest priority holds the address. */
  readonly priority: number
  /** The host's own address, for VRRP. */
  readonly address: string
  /** The other hosts that may hold the address, with their priorities. */
  readonly peers: readonly KeepalivedPeer[]
  /** The VRRP router id, from 1 to 255: the same on all peers, different for each address in a network. @default 51 */
  readonly routerId?: number
  /** An http URL that must answer on this host, otherwise a peer holds the address. @default 'http://127.0.0.1:8405/serving', of the role haproxy */
  readonly checkUrl?: string
}

export interface KeepalivedPeer {
  readonly address: string
  readonly priority: number
}

/** The maintenance switch. 1 in this file moves the address to a peer, 0 allows it to return. A boot sets it to 0. */
export const MAINTENANCE = '/run/keepalived-maint'
