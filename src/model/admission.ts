/** Whom a host lets in, as its own firewall has it. */
export interface Admission {
  /** TCP ports, or a protocol without ports. */
  readonly to: readonly number[] | 'vrrp'
  /** Addresses and networks. */
  readonly from: 'anywhere' | readonly string[]
}
