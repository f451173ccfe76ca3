import type { Confirmation } from '../../model/resource/command.ts'
import { type Shell, sh } from '../../shell/sh.ts'

/** A wait on a host for a new connection from the controller. */
export interface ConfirmationWait extends Confirmation {
  /** Fails when no new connection has come in time. */
  readonly wait: Shell
}

/**
 * The host measures the time by itself, so that it restores the old setting when the controller cannot get in. The time begins when
 * the host waits, is `timeouts.confirm` of the inventory (60 s by default) and grows with the timeout factor.
 *
 * @param id tells one wait from another
 */
export function confirmationWait(id: string): ConfirmationWait {
  const awaited = `/run/provision-${id}.awaited`
  const come = `/run/provision-${id}.come`
  return {
    ready: sh`[ -e ${awaited} ]`,
    confirm: sh`[ -e ${awaited} ] && : > ${come}`,
    wait: sh`
trap 'rm -f '${awaited}' '${come} EXIT
seconds=$((\${PROVISION_CONFIRM_SECONDS:-60} * \${PROVISION_TIMEOUT_PERCENT:-100} / 100))
[ "$seconds" -ge 1 ] || seconds=1
: > ${awaited}
read -r now _ </proc/uptime
end=$((\${now%%.*} + seconds))
until [ -e ${come} ]; do
  read -r now _ </proc/uptime
  [ "\${now%%.*}" -lt "$end" ] || { echo "No new connection came through within $seconds s." >&2; exit 1; }
  sleep 0.2
done`,
  }
}
