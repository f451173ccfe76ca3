import { sh } from '../shell/sh.ts'
import { type Answer, read } from './read.ts'

/** What a role may want to know of the machine it is unfolded for. */
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
  /** The interface of the default route, or the first that is not the loopback. */
  readonly interface: string
  /** All of them; empty where nobody has looked. */
  readonly interfaces: readonly string[]
  /** It shares its kernel with others: settings of the kernel and the clock are not its own. Its network is. */
  readonly container: boolean
  /** Differs after each boot. */
  readonly bootId: string
}

const SCRIPT = sh`
uname -n
nproc 2>/dev/null || grep -c ^processor /proc/cpuinfo
awk '/^MemTotal:/ { print $2 }' /proc/meminfo
dpkg --print-architecture 2>/dev/null || uname -m
(. /etc/os-release; printf '%s\n%s\n%s\n' "$ID" "$VERSION_ID" "$VERSION_CODENAME")
awk '$2 == "00000000" { print $1; found = 1; exit } END { if (!found) print "" }' /proc/net/route
(cd /sys/class/net && for one in */; do printf '%s ' "\${one%/}"; done; echo)
cat /proc/sys/kernel/random/boot_id
[ -e /run/systemd/container ] && echo yes || echo no`

export const facts = read(SCRIPT, parse)

function parse({ stdout }: Answer): Facts {
  const [
    hostname = '',
    cpus,
    memory,
    architecture = '',
    id = '',
    version,
    codename = '',
    routed = '',
    all = '',
    bootId = '',
    container,
  ] = stdout.split('\n')
  const interfaces = all.split(' ').filter((one) => one !== '')
  return Object.freeze({
    hostname,
    cpus: Number(cpus) || 1,
    memory: (Number(memory) || 0) * 1024,
    architecture,
    os: Object.freeze({ id, version: Math.floor(Number(version)) || 0, codename }),
    interface: routed || (interfaces.find((one) => one !== 'lo') ?? ''),
    interfaces: Object.freeze(interfaces),
    container: container === 'yes',
    bootId,
  })
}
