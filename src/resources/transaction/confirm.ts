import type { Confirmation } from '../../model/resource/command.ts'
import { type Shell, sh } from '../../shell/sh.ts'

/** Waits on the host for a new connection from provision. */
interface ConfirmationWait extends Confirmation {
  /** Fails if no new connection comes in time. */
  readonly script: Shell
}

/**
 * The host measures the time, since provision may be cut off. It is `timeouts.confirm` of the inventory (60 s by default) times the
 * timeout factor, and starts when the script runs.
 *
 * @param id of the transaction
 */
export function confirmationWait(id: string): ConfirmationWait {
  const waiting = `/run/provision-${id}.waiting`
  const confirmed = `/run/provision-${id}.confirmed`
  return {
    ready: sh`[ -e ${waiting} ]`,
    confirm: sh`[ -e ${waiting} ] && : > ${confirmed}`,
    script: sh`
trap 'rm -f '${waiting}' '${confirmed} EXIT
seconds=$((\${PROVISION_CONFIRM_SECONDS:-60} * \${PROVISION_TIMEOUT_PERCENT:-100} / 100))
[ "$seconds" -ge 1 ] || seconds=1
: > ${waiting}
read -r now _ </proc/uptime
end=$((\${now%%.*} + seconds))
until [ -e ${confirmed} ]; do
  read -r now _ </proc/uptime
  [ "\${now%%.*}" -lt "$end" ] || { echo "No new connection arrived within $seconds s." >&2; exit 1; }
  sleep 0.2
done`,
  }
}
