import type { Duration } from '../../shell/duration.ts'
import { type Shell, sh } from '../../shell/sh.ts'
import { asCommand, type Command, type CommandLike } from './command.ts'

/**
 * Something to do once, at the end of a host's turn, when a step that notifies it has changed. Before the change the host
 * itself notes down what it is owed, so that a run which dies in between does not lose it.
 */
export interface Handler {
  readonly name: string
  readonly commands: readonly Command[]
}

/**
 * @param name says what it does; two handlers of one name on one host are one.
 * @throws TypeError for a name that no file on the host can have
 * @example handler('rebuild the aliases', sh`newaliases`)
 */
export function handler(name: string, ...commands: readonly CommandLike[]): Handler {
  if (['', '.', '..'].includes(name) || encodeURIComponent(name).length > LONGEST)
    throw new TypeError(
      `"${name}" cannot be the name of a handler: it names a file on the host, of ${LONGEST} bytes at most`,
    )
  return Object.freeze({ name, commands: commands.map(asCommand) })
}

/** Bytes of the name of a file. */
const LONGEST = 255

/**
 * Reloads a unit, or starts it when it does not run.
 *
 * @example file('/etc/nginx/conf.d/site.conf', conf, { notify: reloaded('nginx') })
 */
export function reloaded(unit: string): Handler {
  return handler(`reload ${unit}`, sh`${knownTo(unit)}systemctl reload-or-restart ${unit}`)
}

/**
 * Restarts a unit. For what a reload cannot change.
 *
 * @example file('/etc/default/app', 'WORKERS=4\n', { notify: restarted('app') })
 */
export function restarted(unit: string): Handler {
  return handler(`restart ${unit}`, sh`${knownTo(unit)}systemctl restart ${unit}`)
}

/** systemd reads the unit again first, where its files have changed since. */
function knownTo(unit: string): Shell {
  return sh`case $(systemctl show -p NeedDaemonReload --value ${unit} 2>/dev/null) in yes) systemctl daemon-reload;; esac && `
}

/**
 * Reboots the host and waits for it. For what only a boot can change, such as the kernel's command line.
 *
 * @example file('/etc/default/grub.d/quiet.cfg', 'GRUB_TIMEOUT=0\n', { notify: rebooted({ within: '10m' }) })
 */
export function rebooted({ within = '5m' }: { readonly within?: Duration } = {}): Handler {
  return handler('reboot', rebooting(within))
}

/** @param within how long the host may take to come back */
export function rebooting(within: Duration): Command {
  return { script: sh`systemctl reboot`, reboots: within }
}
