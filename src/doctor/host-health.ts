import { type Output, output } from '../model/check/check.ts'
import type { Problem } from '../model/problem.ts'
import type { Question } from '../model/resource/question.ts'
import { LOCK_HOLDER } from '../resources/packages/apt.ts'
import { sh } from '../shell/sh.ts'

// Questions of the doctor to a host. If a program does not answer, only its own part is unknown (75).

type HealthQuestion = Question<Output | Problem>

/** The number and the name of the user that runs our scripts, and the one that logged in. */
export const user: HealthQuestion = output(
  'user',
  sh`id -u && id -un || exit 75
login=\${SUDO_USER:-\${DOAS_USER:-}}
if [ -z "$login" ] && read -r number </proc/self/loginuid 2>/dev/null; then login=$(id -un "$number" 2>/dev/null); fi
echo "\${login:-$(id -un)}"`,
)

const PLACES = sh`set --
for place in / /boot /home /srv /tmp /var /var/lib /var/log; do [ ! -d $place ] || set -- "$@" $place; done`

export const space: HealthQuestion = output(
  'space',
  sh`${PLACES}
df -Pk "$@" || exit 75`,
)

/** The space in /run, which has the outputs of running scripts and the lock files. */
export const runtime: HealthQuestion = output('room in /run', sh`df -Pk /run || exit 75`)

export const inodes: HealthQuestion = output(
  'inodes',
  sh`${PLACES}
df -Pi "$@" || exit 75`,
)

export const clock: HealthQuestion = output('clock', sh`date +%s%3N`)

/** The number of packages, the packages with an unfinished installation and their state, and the holder of a lock. */
export const packages: HealthQuestion = output(
  'packages',
  sh`${LOCK_HOLDER}
command -v dpkg-query >/dev/null || { echo none; exit 0; }
said=$(dpkg-query -W -f '\${Package} \${Status}\n') || { echo 'dpkg-query does not answer'; exit 75; }
printf '%s\n' "$said" | awk '
  NF { count++ }
  NF && $4 !~ /^(installed|config-files|not-installed)$/ { print "half", $1 " (" $4 ")" }
  END { print "count", count + 0 }'
holder
[ -z "$who" ] || echo "lock $who"`,
)

export const uptime: HealthQuestion = output(
  'uptime',
  sh`read -r seconds _ </proc/uptime || exit 75
echo "uptime \${seconds%.*}"
[ ! -e /run/reboot-required ] || echo "reboot $(sort -u /run/reboot-required.pkgs 2>/dev/null | tr '\n' ' ')"`,
)

export const systemd: HealthQuestion = output(
  'systemd',
  sh`[ -d /run/systemd/system ] || { echo none; exit 0; }
state=$(systemctl is-system-running 2>/dev/null)
[ "$state" ] || { echo 'systemd does not answer'; exit 75; }
echo "state $state"
[ "$state" = running ] || systemctl list-units --failed --plain --no-legend --no-pager 2>/dev/null | while read -r unit _; do echo "failed $unit"; done`,
)

export const sshd: HealthQuestion = output(
  'sshd',
  sh`command -v sshd >/dev/null || { echo none; exit 0; }
said=$(sshd -T 2>&1) || { printf '%s\n' "$said"; exit 75; }
printf '%s\n' "$said" | grep '^maxsessions ' || exit 75`,
)

/** A file system. */
export interface Room {
  readonly mount: string
  /** In 1024-byte blocks, or in inodes. */
  readonly total: number
  readonly free: number
}

/** The file systems in the output of `df -P`, each once. */
export function roomsIn(said: string): readonly Room[] {
  const rooms = new Map<string, Room>()
  for (const line of said.split('\n').slice(1)) {
    const [, total, free, mount] = /^.+?\s+(\d+|-)\s+(?:\d+|-)\s+(\d+|-)\s+\S+\s+(\/.*)$/.exec(line) ?? []
    if (mount !== undefined) rooms.set(mount, { mount, total: Number(total) || 0, free: Number(free) || 0 })
  }
  return [...rooms.values()]
}

/** The part of a file system that is free, from 0 to 1. */
export function share({ free, total }: Room): number {
  return free / total
}

export function fullest(rooms: readonly Room[]): Room | undefined {
  return [...rooms].sort((a, b) => share(a) - share(b))[0]
}

/** The rest of each line that begins with this word. */
export function wordsAfter(word: string, said: string): readonly string[] {
  return said.split('\n').flatMap((line) => (line.startsWith(`${word} `) ? [line.slice(word.length + 1).trim()] : []))
}
