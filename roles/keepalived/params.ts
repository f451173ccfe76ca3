export interface KeepalivedParams {
  /** The address that moves between the hosts, with its prefix length: `198.18.0.10/24`. */
  readonly vip: string
  /** Where it appears. @default the interface of the default route */
  readonly interface?: string
  /** From 1 to 254. The highest one that is alive holds the address. */
  readonly priority: number
  /** This host's own address, where its peers reach it. */
  readonly address: string
  /** The other hosts that may hold it, with the priorities that they have. */
  readonly peers: readonly KeepalivedPeer[]
  /** Tells several such addresses of one network apart, from 1 to 255; the same on all peers. @default 51 */
  readonly routerId?: number
  /** An http URL that has to answer on this host for it to hold the address. @default 'http://127.0.0.1:8405/serving', the role haproxy's */
  readonly checkUrl?: string
}

export interface KeepalivedPeer {
  readonly address: string
  readonly priority: number
}

/** The maintenance switch: 1 in this file sends the address to a peer, 0 lets it come back. A boot sets it to 0. */
export const MAINTENANCE = '/run/keepalived-maint'
