/** A program that accepts TCP connections on a host. */
export interface Listener {
  /** As `ss` writes it: `0.0.0.0` for all of IPv4, `[::]` for all of IPv6, `*` for both. */
  readonly address: string
  readonly port: number
  /** Undefined for one that `ss` cannot see, such as a program of another namespace. */
  readonly program: string | undefined
  /** Undefined where systemd does not use cgroups of version 2. */
  readonly unit: string | undefined
}

/** The listeners in the output of `ss -Hltnp --cgroup`. */
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

/** Whether a second program cannot listen at this address while the first one does. */
export function isPortTaken(
  wanted: { readonly address: string; readonly port: number },
  by: Listener,
): boolean {
  if (wanted.port !== by.port) return false
  if (by.address === '*' || wanted.address === '::') return true
  const isV6 = by.address.startsWith('[')
  if (isV6 !== wanted.address.includes(':')) return false
  return ['0.0.0.0', '[::]', bracketed(wanted.address)].includes(by.address) || wanted.address === '*'
}

/** What a message calls it. */
export function describeListener({ program, unit }: Listener): string {
  if (program === undefined) return unit ?? 'a program that ss cannot name'
  return unit === undefined ? program : `${program} (${unit})`
}

function bracketed(address: string): string {
  return address.includes(':') ? `[${address}]` : address
}
