/** The address and port of a service. */
export interface Endpoint {
  readonly address: string
  readonly port: number
}

/** `address:port`, with brackets around an IPv6 address, as in a URL. */
export function formatEndpoint({ address, port }: Endpoint): string {
  return `${formatHost(address)}:${port}`
}

/** An address as a URL contains it, with brackets around an IPv6 address. */
export function formatHost(address: string): string {
  return address.includes(':') ? `[${address}]` : address
}
