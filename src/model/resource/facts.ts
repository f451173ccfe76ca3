import type { Host } from '../inventory/host.ts'

/** The facts of a host, for roles. */
export interface Facts {
  readonly hostname: string
  readonly cpus: number
  /** Bytes. */
  readonly memory: number
  /** `amd64`, `arm64`: Debian's name of the architecture. */
  readonly architecture: string
  readonly os: OperatingSystem
  /** The family of the system. It decides which scripts a kind uses. */
  readonly platform: Platform
  /** The interface of the default route; without one, the first that is not the loopback. */
  readonly interface: string
  /** The names of all interfaces. */
  readonly interfaces: readonly string[]
  /** True in a container: the kernel's settings and the clock belong to the machine below, the network does not. */
  readonly container: boolean
  /** Differs after each boot. */
  readonly bootId: string
}

/** The system of a host, from os-release(5). */
export interface OperatingSystem {
  /** `debian`, `ubuntu`. */
  readonly id: string
  /** The release as the system writes it: `12`, `24.04`. Empty for one without a number. See {@link compareVersions}. */
  readonly version: string
  /** `bookworm`, `noble`. */
  readonly codename: string
}

/** `debian` has dpkg and apt, `redhat` has rpm and dnf. */
export type Platform = 'debian' | 'redhat' | 'other'

/** The releases that a validation without hosts assumes. */
export const RELEASES: readonly [OperatingSystem, ...OperatingSystem[]] = [
  { id: 'debian', version: '13', codename: 'trixie' },
  { id: 'debian', version: '12', codename: 'bookworm' },
]

/** The facts of a small new host. */
export function exampleFacts({ name }: Pick<Host, 'name'>, os: OperatingSystem): Facts {
  return {
    hostname: name,
    cpus: 2,
    memory: 4 * 1024 ** 3,
    architecture: 'amd64',
    os,
    platform: platformOf(os.id),
    interface: 'eth0',
    interfaces: [],
    container: false,
    bootId: '00000000-0000-0000-0000-000000000000',
  }
}

/** @param like the systems that it is derived from, as in `ID_LIKE` of os-release(5) */
export function platformOf(id: string, like: readonly string[] = []): Platform {
  const names = [id, ...like]
  if (names.some((name) => DEBIAN.has(name))) return 'debian'
  return names.some((name) => REDHAT.has(name)) ? 'redhat' : 'other'
}

const DEBIAN: ReadonlySet<string> = new Set(['debian', 'ubuntu'])
const REDHAT: ReadonlySet<string> = new Set(['fedora', 'rhel', 'centos', 'rocky', 'almalinux'])

/**
 * Compares two releases as versions: 9 is older than 10, and 24 is older than 24.04.
 *
 * @returns a negative number if the first is older, 0 if they are equal, else a positive number
 * @example role('tool', (_params: object, { facts }) => compareVersions(facts.os.version, '13') >= 0 && pkg('tool'))
 */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [a.split('.'), b.split('.')]
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const [one, other] = [left[i], right[i]]
    if (one === undefined || other === undefined) return one === undefined ? -1 : 1
    const order = Number(one) - Number(other)
    if (Number.isNaN(order) ? one !== other : order !== 0) return Number.isNaN(order) ? (one < other ? -1 : 1) : order
  }
  return 0
}

/** True if the name means this system: `debian 12` one release, `debian` all. */
export function isSystem(name: string, { id, version }: OperatingSystem): boolean {
  return name === id || name === `${id} ${version}`
}

/** `Ubuntu 24.04`. */
export function systemTitle(name: string): string {
  return `${name.slice(0, 1).toUpperCase()}${name.slice(1)}`
}
