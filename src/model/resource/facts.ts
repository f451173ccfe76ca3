import { sh } from '../../shell/sh.ts'
import type { Answer } from './fake-state.ts'
import { read } from './read.ts'

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

/**
 * `key=value`, a line each. The shell reads files itself, which takes no process; programs are asked only where a file is not there.
 * The kernel gives each of these files to who reads it byte by byte, too, as dash does.
 */
const SCRIPT = sh`
value=; read -r value </proc/sys/kernel/hostname || value=$(uname -n)
echo "hostname=$value"
value=; while read -r key list rest; do case $key in Cpus_allowed_list:) value=$list; break ;; esac; done </proc/self/status
if [ "$value" ]; then echo "cpuset=$value"; else echo "cpus=$(nproc || grep -c ^processor /proc/cpuinfo)"; fi
value=; while read -r key value rest; do case $key in MemTotal:) break ;; esac; done </proc/meminfo
echo "memory=$value"
value=; [ ! -s /var/lib/dpkg/arch ] || read -r value </var/lib/dpkg/arch
set -- /var/lib/dpkg/info/libc6:*.list
[ "$value" ] || [ $# -gt 1 ] || [ ! -e "$1" ] || { value=\${1##*:}; value=\${value%.list}; }
echo "architecture=\${value:-$(dpkg --print-architecture || uname -m)}"
for file in /etc/os-release /usr/lib/os-release; do
  [ -r $file ] || continue
  while IFS= read -r line || [ "$line" ]; do
    case $line in ID=*|VERSION_ID=*|VERSION_CODENAME=*) printf '%s\n' "$line" ;; esac
  done <$file
  break
done
count=0 route=
{ while [ $count -lt 200 ] && read -r name destination rest; do
    case $destination in 00000000) route=$name; break ;; esac
    count=$((count + 1))
  done
  [ "$route" ] || [ $count -lt 200 ] || route=$(awk '$2 == "00000000" { print $1; exit }')
} </proc/net/route
printf 'routed=%s\n' "$route"
for value in /sys/class/net/*; do [ ! -d "$value" ] || printf 'interface=%s\n' "\${value##*/}"; done
value=; read -r value </proc/sys/kernel/random/boot_id
echo "boot=$value"
[ ! -e /run/systemd/container ] || echo container=yes`

export const facts = read(SCRIPT, parse, { shared: true })

function parse({ stdout }: Answer): Facts {
  const lines = stdout.split('\n').map((line) => {
    const cut = line.indexOf('=')
    return [line.slice(0, cut), line.slice(cut + 1)] as const
  })
  const interfaces = lines.flatMap(([key, name]) => (key === 'interface' ? [name] : []))
  const found = new Map(lines)
  const said = (key: string) => found.get(key) ?? ''
  return Object.freeze({
    hostname: said('hostname'),
    cpus: sizeOf(said('cpuset')) || Number(said('cpus')) || 1,
    memory: (Number(said('memory')) || 0) * 1024,
    architecture: said('architecture'),
    os: Object.freeze({
      id: unquoted(said('ID')),
      version: Math.floor(Number(unquoted(said('VERSION_ID')))) || 0,
      codename: unquoted(said('VERSION_CODENAME')),
    }),
    interface: said('routed') || (interfaces.find((one) => one !== 'lo') ?? ''),
    interfaces: Object.freeze(interfaces),
    container: said('container') === 'yes',
    bootId: said('boot'),
  })
}

/** How many a list of the kernel names: four in `0-2,7`. */
function sizeOf(list: string): number {
  return list
    .split(',')
    .filter((part) => part !== '')
    .reduce((sum, part) => {
      const [first = '', last = first] = part.split('-')
      return sum + Number(last) - Number(first) + 1
    }, 0)
}

/** A value of os-release(5), which is written as for a shell. */
function unquoted(value: string): string {
  const [, , inner] = /^(["'])(.*)\1$/.exec(value) ?? []
  return (inner ?? value).replace(/\\(.)/g, '$1')
}
