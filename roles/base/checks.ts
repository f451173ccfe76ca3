import { ask, type Check, check, each, expect, type Host, read, type Shell, sh } from 'provision-ts'

export interface BaseCheckOptions {
  /** Per cent of a disk that may be taken. @default 85 */
  readonly disk?: number
}

/** What holds on every host, whatever it serves. */
export function baseChecks(host: Host, { disk = 85 }: BaseCheckOptions = {}): readonly Check[] {
  return [
    check(
      host,
      `has no disk that is more than ${disk} % full`,
      sh`
df -lP --exclude-type=tmpfs --exclude-type=devtmpfs --exclude-type=squashfs --exclude-type=efivarfs |
awk -v most=${disk} 'NR > 1 && $5 + 0 > most { print $6 " is " $5 " full"; bad = 1 } END { exit bad }'`,
      { next: 'See what takes the room: du -xh / | sort -h | tail' },
    ),
    check(
      host,
      'needs no reboot',
      sh`[ ! -e /run/reboot-required ] || { echo "for $(sort -u /run/reboot-required.pkgs 2>/dev/null | tr '\n' ' ')"; exit 1; }`,
    ),
    check(
      host,
      'has no unit that has failed',
      sh`failed=$(systemctl list-units --failed --plain --no-legend | awk '{ print $1 }')
[ -z "$failed" ] || { printf '%s\n' "$failed"; exit 1; }`,
      { next: 'See why: journalctl -u UNIT. When it is mended: systemctl reset-failed' },
    ),
  ]
}

/**
 * That a service runs, did not have to be started again by systemd just now, and does not hold on to libraries that were replaced
 * since it was started.
 */
export function runs(host: Host, unit: string, name = unit): Check {
  return check(
    host,
    `${name} runs, and keeps running`,
    sh`
state=$(systemctl is-active ${unit}) || { echo "it is \${state:-not there}"; journalctl -q --no-pager -o cat -n 4 -u ${unit} 2>/dev/null; exit 1; }
restarts=$(systemctl show -p NRestarts --value ${unit})
since=$(systemctl show -p ActiveEnterTimestampMonotonic --value ${unit})
age=$(awk -v since="$since" '{ printf "%d", $1 - since / 1000000 }' /proc/uptime)
if [ "$restarts" -gt 0 ] && [ "$age" -lt ${STEADY} ]; then
  echo "systemd has started it again $restarts times, the last time $age s ago"
  journalctl -q --no-pager -o cat -n 4 -u ${unit}
  exit 1
fi
pid=$(systemctl show -p MainPID --value ${unit})
old=$(awk '/\.so.* \(deleted\)$/ { print $6 }' "/proc/$pid/maps" | sort -u | head -n 3)
[ -z "$old" ] || { echo "it still uses what was replaced: $old"; exit 1; }`,
    { next: `See journalctl -u ${unit}.` },
  )
}

/** Seconds that a service has to live after a restart by systemd: one that dies again and again does not. */
const STEADY = 10

/** That ports are open for a host. */
export function reaches(host: Host, doors: readonly Door[]): Check {
  return check(
    host,
    `reaches ${named(doors)}`,
    sh`${knocked(doors)}
[ -z "$shut" ] || { echo "nothing takes a connection at$shut"; exit 1; }`,
  )
}

/** That ports are closed for a host: it has no business there. */
export function isKeptFrom(host: Host, doors: readonly Door[]): Check {
  return check(
    host,
    `is kept from ${named(doors)}`,
    sh`${knocked(doors)}
[ -z "$open" ] || { echo "a connection was taken at$open"; exit 1; }`,
    { next: 'Look at the firewall there: nft list ruleset' },
  )
}

export interface Door {
  readonly name: string
  readonly address: string
  readonly port: number
}

function named(doors: readonly Door[]): string {
  return doors.map(({ name, port }) => `${name}:${port}`).join(', ')
}

/** Those that take a connection in `$open`, the others in `$shut`: names, each after a space. */
function knocked(doors: readonly Door[]): Shell {
  return sh`
knock() { timeout 1 bash -c "exec 3<>/dev/tcp/$2/$3" 2>/dev/null && echo "open $1" || echo "shut $1"; }
said=$(${doors.reduce<Shell>(
    (all, { name, address, port }) => sh`${all}
knock ${`${name}:${port}`} ${address} ${port} &`,
    sh``,
  )}
wait)
open=$(printf '%s\n' "$said" | awk '$1 == "open" { printf " %s", $2 }')
shut=$(printf '%s\n' "$said" | awk '$1 == "shut" { printf " %s", $2 }')`
}

/** Asked after all else, so that as little time as possible lies between the clock and our hearing of it. */
const clock = ask(
  'its clock',
  read(sh`date +%s.%N`, ({ stdout }) => Number(stdout) * 1000 - Date.now()),
)

/** That the clocks agree: certificates, logs and orders of events hang on it. Give it last. */
export function clocksAgree(hosts: readonly Host[], seconds = 1): Check {
  return expect(
    `the clocks agree within ${seconds} s`,
    each({ hosts }, clock),
    (all) => {
      const sorted = [...all].sort((a, b) => (a.answer ?? 0) - (b.answer ?? 0))
      const [slowest, fastest] = [sorted.at(0), sorted.at(-1)]
      const apart = ((fastest?.answer ?? 0) - (slowest?.answer ?? 0)) / 1000
      return apart <= seconds
        ? undefined
        : `${fastest?.host.name} is ${apart.toFixed(1)} s before ${slowest?.host.name}`
    },
    { about: 'all', next: 'See timedatectl on both.' },
  )
}
