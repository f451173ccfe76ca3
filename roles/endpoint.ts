/** The address and port of a service. */
export interface Endpoint {
  readonly address: string
  readonly port: number
}

/** As a URL has it: an IPv6 address stands in brackets. */
export function formatEndpoint({ address, port }: Endpoint): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}
