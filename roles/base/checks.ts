import { type Check, check, type Host, sh } from 'provision-ts'

export { certificatesValid } from './lib/certificate-expiry.ts'
export { clocksAgree } from './lib/clock-skew.ts'
export { portsClosed, portsOpen, type Target } from './lib/connections.ts'

interface BaseCheckOptions {
  /** Maximum use of each disk, in percent. @default 85 */
  readonly disk?: number
}

/** Checks that apply to every host. */
export function baseChecks(host: Host, { disk = 85 }: BaseCheckOptions = {}): readonly Check[] {
  return [
    check(
      host,
      `disks are at most ${disk} % full`,
      sh`
said=$(df -lP --exclude-type=tmpfs --exclude-type=devtmpfs --exclude-type=squashfs --exclude-type=efivarfs 2>&1)
code=$?
full=$(printf '%s\n' "$said" | awk -v most=${disk} '$5 ~ /^[0-9]+%$/ { disks++; if ($5 + 0 > most) print $6 " is " $5 " full" } END { print disks + 0 " disks" }')
case $full in
  '0 disks' | '') echo "df reports no disk: $said"; exit 75 ;;
  *full*) printf '%s\n' "$full" | grep full; exit 1 ;;
esac
[ "$code" = 0 ] || { printf '%s\n' "$said" | grep ^df:; exit 75; }`,
      { next: 'Find large files: du -xh / | sort -h | tail' },
    ),
    check(
      host,
      'no reboot is pending',
      sh`[ ! -e /run/reboot-required ] || { echo "for $(sort -u /run/reboot-required.pkgs 2>/dev/null | tr '\n' ' ')"; exit 1; }`,
    ),
    check(
      host,
      'no systemd unit has failed',
      sh`
said=$(systemctl show -p NFailedUnits) || { echo 'systemd does not answer'; exit 75; }
case $said in
  NFailedUnits=0) exit 0 ;;
  NFailedUnits=[1-9]*) ;;
  *) echo "systemd does not report the number of failed units"; exit 75 ;;
esac
failed=$(systemctl list-units --failed --plain --no-legend) && [ "$failed" ] || { echo "$said"; exit 1; }
printf '%s\n' "$failed" | while read -r unit _; do echo "$unit"; done
exit 1`,
      { next: 'For the reason: journalctl -u UNIT. Once it is fixed: systemctl reset-failed' },
    ),
  ]
}

/**
 * The service is active, has not restarted in the last 10 s, and uses no library that was replaced since it started.
 *
 * @param unit a name, or a pattern that matches one unit
 */
export function runs(host: Host, unit: string, name = unit): Check {
  // init.scope always exists, so it shows that systemd answered. If several units match, an active one counts.
  return check(
    host,
    `${name} is running and stable`,
    sh`
unit=${unit}
last() { journalctl -q --no-pager -o cat -n 4 -u "$unit" 2>/dev/null; }
said=$(systemctl show -p Id -p LoadState -p ActiveState -p FreezerState -p NRestarts -p ActiveEnterTimestampMonotonic -p MainPID "$unit" init.scope) ||
  { echo 'systemd does not answer'; exit 75; }
answered= found= block=
while IFS= read -r line; do
  [ -z "$line" ] || { block="$block
$line"; continue; }
  case $block in
    *Id=init.scope*) answered=1 ;;
    *ActiveState=active*) found=$block ;;
    *Id=*) found=\${found:-$block} ;;
  esac
  block=
done <<END
$said

END
[ "$answered" ] || { echo 'systemd does not report it'; exit 75; }
[ "$found" ] || { echo 'the unit does not exist'; exit 1; }
load= state= freezer= restarts= since= pid=
while IFS== read -r key value; do
  case $key in
    LoadState) load=$value ;;
    ActiveState) state=$value ;;
    FreezerState) freezer=$value ;;
    NRestarts) restarts=$value ;;
    ActiveEnterTimestampMonotonic) since=$value ;;
    MainPID) pid=$value ;;
  esac
done <<END
$found
END
[ "$load" != not-found ] || { echo 'the unit does not exist'; exit 1; }
case $state in
  active | reloading) ;;
  '') echo 'systemd does not report its state'; exit 75 ;;
  *) echo "it is $state"; last; exit 1 ;;
esac
[ "\${freezer:-running}" = running ] || { echo "it is $freezer"; exit 1; }
case $restarts$since in '' | *[!0-9]*) echo 'systemd does not report its start time'; exit 75 ;; esac
read -r up _ < /proc/uptime || exit 75
age=$((\${up%.*} - since / 1000000))
if [ "\${restarts:-0}" -gt 0 ] && [ "$age" -lt ${STEADY} ]; then
  echo "it restarted $restarts times, the last time $age s ago"
  last
  exit 1
fi
[ "\${pid:-0}" != 0 ] || exit 0
read -r stat < "/proc/$pid/stat" || { echo "process $pid has ended"; exit 75; }
case "\${stat##*) }" in [Tt]*) echo "process $pid is stopped: kill -CONT $pid"; exit 1 ;; esac
old=$(awk '/\.so.* \(deleted\)$/ && !seen[$6]++ && n++ < 3 { printf " %s", $6 }' "/proc/$pid/maps") ||
  { echo "process $pid has ended"; exit 75; }
[ -z "$old" ] || { echo "it still uses replaced libraries:$old"; exit 1; }`,
    { next: `See journalctl -u ${unit}.` },
  )
}

/** Seconds without a restart. A service in a crash loop does not get that far. */
const STEADY = 10
