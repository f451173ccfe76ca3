/** A number of hosts, or a share of the play's. */
export type BatchSize = number | `${number}%`

/** The hosts of a play in batches. */
export function batches<H>(
  hosts: readonly H[],
  serial: readonly BatchSize[] | undefined,
): readonly (readonly H[])[] {
  if (!serial || serial.length === 0) return hosts.length === 0 ? [] : [hosts]
  const made: H[][] = []
  let at = 0
  while (at < hosts.length) {
    const size = atLeastOne(serial[Math.min(made.length, serial.length - 1)] ?? 1, hosts.length)
    made.push(hosts.slice(at, at + size))
    at += size
  }
  return made
}

/** How many hosts a window or a batch of this size holds, of so many. */
export function atLeastOne(size: BatchSize, all: number): number {
  return Math.max(1, countOf(size, all))
}

/** A share is rounded down: of 3 hosts, 50% is one. */
export function countOf(size: BatchSize, all: number): number {
  const count = Math.floor(typeof size === 'number' ? size : (all * Number(size.slice(0, -1))) / 100)
  if (!Number.isFinite(count)) throw new TypeError(`serial: "${size}" is neither a number nor a percentage`)
  return count
}
