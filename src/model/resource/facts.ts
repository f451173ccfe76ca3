import type { Host } from '../inventory/host.ts'

/** The facts of a host, for roles. */
export interface Facts {
  readonly hostname: string
  readonly cpus: number
  /** Bytes. */
  readonly memory: number
  /** `amd64`, `arm64`: Debian's name of the architecture. */
  readonly architecture: string
  readonly os: {
    /** `debian`, `ubuntu`. */
    readonly id: string
    /** The release: 12, 13. 0 for one without a number. */
    readonly version: number
    readonly codename: string
  }
  /** The interface of the default route; without one, the first that is not the loopback. */
  readonly interface: string
  /** The names of all interfaces. */
  readonly interfaces: readonly string[]
  /** True in a container: the kernel's settings and the clock belong to the machine below, the network does not. */
  readonly container: boolean
  /** Differs after each boot. */
  readonly bootId: string
}

/** A release of Debian. */
export interface Release {
  readonly version: number
  readonly codename: string
}

export const RELEASES: readonly [Release, ...Release[]] = [
  { version: 13, codename: 'trixie' },
  { version: 12, codename: 'bookworm' },
]

/** The facts of a small new host. */
export function exampleFacts({ name }: Pick<Host, 'name'>, { version, codename }: Release): Facts {
  return {
    hostname: name,
    cpus: 2,
    memory: 4 * 1024 ** 3,
    architecture: 'amd64',
    os: { id: 'debian', version, codename },
    interface: 'eth0',
    interfaces: [],
    container: false,
    bootId: '00000000-0000-0000-0000-000000000000',
  }
}
