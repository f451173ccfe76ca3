/** A program that accepts TCP connections on a host. */
export interface Listener {
  /** As in `ss`: `0.0.0.0` for all of IPv4, `[::]` for all of IPv6, `*` for both. */
  readonly address: string
  readonly port: number
  /** Undefined if `ss` cannot see it, as in another namespace. */
  readonly program: string | undefined
  /** Undefined without cgroups v2. */
  readonly unit: string | undefined
}

/** Parses the output of `ss -Hltnp --cgroup`. */
export function listenersIn(lines: readonly string[]): readonly Listener[] {
  return lines.flatMap((line) => {
    const [, address, port] = /^LISTEN +\d+ +\d+ +(\S+):(\d+) /.exec(line) ?? []
    if (address === undefined) return []
    return [
      {
        address: address.replace(/%.*/, ''),
        port: Number(port),
        program: /users:\(\("([^"]+)"/.exec(line)?.[1],
        unit: /cgroup:\S*\/([^/\s]+\.\w+)/.exec(line)?.[1],
      },
    ]
  })
}

/** True if the listener prevents another program from listening at the address. */
export function isPortTaken(wanted: { readonly address: string; readonly port: number }, by: Listener): boolean {
  if (wanted.port !== by.port) return false
  if (by.address === '*' || wanted.address === '::') return true
  const isV6 = by.address.startsWith('[')
  if (isV6 !== wanted.address.includes(':')) return false
  return ['0.0.0.0', '[::]', urlHost(wanted.address)].includes(by.address) || wanted.address === '*'
}

/** Returns the name of the program for messages. */
export function describeListener({ program, unit }: Listener): string {
  if (program === undefined) return unit ?? 'a program that ss cannot name'
  return unit === undefined ? program : `${program} (${unit})`
}

function urlHost(address: string): string {
  return address.includes(':') ? `[${address}]` : address
}
