import { type Facts, facts } from '../model/facts.ts'
import { mapRead, type Read, read, together } from '../model/read.ts'
import { HOLDER } from '../resources/apt.ts'
import { sh } from '../shell/sh.ts'

/** How a host is. */
export interface Vitals {
  readonly facts: Facts
  /** Who logged in, before becoming root. */
  readonly login: string
  /** Milliseconds since 1970 by its own clock, and when we heard of it by ours. */
  readonly now: number
  readonly heard: number
  /** File systems, each once. */
  readonly space: readonly Room[]
  /** Those that count inodes. */
  readonly inodes: readonly Room[]
  /** Who holds a lock of apt or dpkg. */
  readonly lockHolder: string | undefined
  /** Packages whose installation has not come to its end, each with its state. */
  readonly halfInstalled: readonly string[]
  /** For which packages it should be rebooted; undefined when it need not be. */
  readonly reboot: string | undefined
  /** Seconds since it was booted. */
  readonly uptime: number
  /** What systemd says of itself: `running`, `degraded`, `starting`; empty where there is no systemd. */
  readonly systemd: string
  readonly failedUnits: readonly string[]
  /** How many sessions sshd takes over one connection; undefined where it could not be asked. */
  readonly maxSessions: number | undefined
}

export interface Room {
  readonly mount: string
  /** In 1024-byte blocks, or in inodes. */
  readonly total: number
  readonly free: number
}

const SCRIPT = sh`
${HOLDER}
places='/ /boot /home /srv /tmp /var /var/lib /var/log'
df -Pk $places 2>/dev/null | awk 'NR > 1 && !seen[$6]++ { print "space", $2, $4, $6 }'
df -Pi $places 2>/dev/null | awk 'NR > 1 && !seen[$6]++ { print "inodes", $2, $4, $6 }'
dpkg-query -W -f '\${Package} \${Status}\n' 2>/dev/null |
  awk '$4 !~ /^(installed|config-files|not-installed)$/ { print "half", $1 " (" $4 ")" }'
holder
[ -z "$who" ] || echo "lock $who"
[ ! -e /run/reboot-required ] || echo "reboot $(sort -u /run/reboot-required.pkgs 2>/dev/null | tr '\n' ' ')"
echo "uptime $(cut -d. -f1 /proc/uptime)"
if [ -d /run/systemd/system ]; then
  echo "systemd $(systemctl is-system-running 2>/dev/null)"
  systemctl list-units --failed --plain --no-legend --no-pager 2>/dev/null | awk '{ print "failed", $1 }'
fi
sshd -T 2>/dev/null | awk '$1 == "maxsessions" { print "sessions", $2 }'
echo "login \${SUDO_USER:-$(id -un)}"
echo "now $(date +%s%3N)"`

/** Asked of a host in one script that changes nothing. */
export const vitals: Read<Vitals> = mapRead(
  together(
    facts,
    read(SCRIPT, ({ stdout }) => ({ lines: stdout.split('\n'), heard: Date.now() })),
  ),
  ([known, { lines, heard }]) => {
    const all = (word: string) =>
      lines.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1).trim())
    const rooms = (word: string) =>
      all(word)
        .map(room)
        .filter(({ total }) => total > 0)
    const [sessions] = all('sessions')
    return {
      facts: known,
      login: all('login')[0] ?? '',
      now: Number(all('now')[0]),
      heard,
      space: rooms('space'),
      inodes: rooms('inodes'),
      lockHolder: all('lock')[0],
      halfInstalled: all('half'),
      reboot: all('reboot')[0],
      uptime: Number(all('uptime')[0]),
      systemd: all('systemd')[0] ?? '',
      failedUnits: all('failed'),
      maxSessions: sessions === undefined ? undefined : Number(sessions),
    }
  },
)

function room(line: string): Room {
  const [total, free, ...mount] = line.split(' ')
  return { mount: mount.join(' '), total: Number(total), free: Number(free) }
}
