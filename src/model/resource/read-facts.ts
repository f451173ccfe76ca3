import { sh } from '../../shell/sh.ts'
import { type Facts, platformOf } from './facts.ts'
import type { Answer } from './fake-state.ts'
import type { Question } from './question.ts'
import { read } from './read.ts'

/**
 * Prints a line `key=value` for each fact. The shell reads the files itself, which takes no process; programs run only where a file is
 * missing. The kernel returns these files also to a shell that reads byte by byte, as dash does.
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
    case $line in ID=*|ID_LIKE=*|VERSION_ID=*|VERSION_CODENAME=*) printf '%s\n' "$line" ;; esac
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

export const readFacts = read(SCRIPT, parse, { shared: true })

/** Asks a host for its facts. */
export const FACTS: Question<Facts> = Object.freeze({ label: 'its facts', read: readFacts })

function parse({ stdout }: Answer): Facts {
  const lines = stdout.split('\n').map((line) => {
    const cut = line.indexOf('=')
    return [line.slice(0, cut), line.slice(cut + 1)] as const
  })
  const interfaces = lines.flatMap(([key, name]) => (key === 'interface' ? [name] : []))
  const found = new Map(lines)
  const said = (key: string) => found.get(key) ?? ''
  const id = unquoted(said('ID'))
  return Object.freeze({
    hostname: said('hostname'),
    cpus: sizeOf(said('cpuset')) || Number(said('cpus')) || 1,
    memory: (Number(said('memory')) || 0) * 1024,
    architecture: said('architecture'),
    os: Object.freeze({ id, version: unquoted(said('VERSION_ID')), codename: unquoted(said('VERSION_CODENAME')) }),
    platform: platformOf(id, unquoted(said('ID_LIKE')).split(' ')),
    interface: said('routed') || (interfaces.find((one) => one !== 'lo') ?? ''),
    interfaces: Object.freeze(interfaces),
    container: said('container') === 'yes',
    bootId: said('boot'),
  })
}

/** Counts the numbers of a kernel list: four in `0-2,7`. */
function sizeOf(list: string): number {
  return list
    .split(',')
    .filter((part) => part !== '')
    .reduce((sum, part) => {
      const [first = '', last = first] = part.split('-')
      return sum + Number(last) - Number(first) + 1
    }, 0)
}

/** Removes the shell quotes of a value in os-release(5). */
function unquoted(value: string): string {
  const [, , inner] = /^(["'])(.*)\1$/.exec(value) ?? []
  return (inner ?? value).replace(/\\(.)/g, '$1')
}
