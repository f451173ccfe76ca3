/** A number of hosts, or a share of the play's hosts. */
export type BatchSize = number | `${number}%`

/** The hosts of a play in the order in which they start; with `maxUnavailable`, each host after the first ones is a batch of its own. */
export function playBatches<H>({
  hosts,
  serial,
  maxUnavailable,
}: {
  readonly hosts: readonly H[]
  readonly serial: readonly BatchSize[] | undefined
  readonly maxUnavailable: BatchSize | undefined
}): readonly (readonly H[])[] {
  return batches(hosts, maxUnavailable === undefined ? serial : [atLeastOne(maxUnavailable, hosts.length), 1])
}

/** The hosts in batches of these sizes; the last size is that of all further batches. */
export function batches<H>(hosts: readonly H[], sizes: readonly BatchSize[] | undefined): readonly (readonly H[])[] {
  if (!sizes || sizes.length === 0) return hosts.length === 0 ? [] : [hosts]
  const made: H[][] = []
  let at = 0
  while (at < hosts.length) {
    const size = atLeastOne(sizes[Math.min(made.length, sizes.length - 1)] ?? 1, hosts.length)
    made.push(hosts.slice(at, at + size))
    at += size
  }
  return made
}

export function atLeastOne(size: BatchSize, all: number): number {
  return Math.max(1, countOf(size, all))
}

/** The number of hosts; a share is rounded down: of 3 hosts, 50% is one. */
export function countOf(size: BatchSize, all: number): number {
  const count = Math.floor(typeof size === 'number' ? size : (all * Number(size.slice(0, -1))) / 100)
  if (!Number.isFinite(count)) throw new TypeError(`serial: "${size}" is neither a number nor a percentage`)
  return count
}
