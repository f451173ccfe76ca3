import type { Duration } from '../../shell/duration.ts'
import { type Shell, sh } from '../../shell/sh.ts'
import { asCommand, type Command, type CommandLike } from './command.ts'

/**
 * Commands that run once, at the end of a host's turn, if a step that notifies the handler has changed. Before the change, the handler is
 * recorded on the host, so that it is not lost if the run is killed.
 */
export interface Handler {
  readonly name: string
  readonly commands: readonly Command[]
  /** Its effect, as far as it is known, for policies. @default it runs commands */
  readonly effect?: HandlerEffect
}

interface HandlerEffect {
  readonly action: 'reload' | 'restart' | 'reboot'
  /** The systemd unit that is reloaded or restarted. */
  readonly unit?: string
}

/**
 * @param name describes its effect; handlers of the same name on a host are one handler
 * @throws TypeError for a name that is not valid as a file name on the host
 * @example handler('rebuild the aliases', sh`newaliases`)
 */
export function handler(name: string, ...commands: readonly CommandLike[]): Handler {
  if (['', '.', '..'].includes(name) || encodeURIComponent(name).length > LONGEST)
    throw new TypeError(
      `"${name}" cannot be the name of a handler: it names a file on the host, of ${LONGEST} bytes at most`,
    )
  return Object.freeze({ name, commands: commands.map(asCommand) })
}

/** The maximum length of a file name in bytes. */
const LONGEST = 255

/**
 * Reloads a unit, or starts it if it does not run.
 *
 * @example file('/etc/nginx/conf.d/site.conf', conf, { notify: reloaded('nginx') })
 */
export function reloaded(unit: string): Handler {
  const reload = handler(`reload ${unit}`, sh`${knownTo(unit)}systemctl reload-or-restart ${unit}`)
  return withEffect(reload, { action: 'reload', unit })
}

/**
 * Restarts a unit, for changes that a reload does not apply.
 *
 * @example file('/etc/default/app', 'WORKERS=4\n', { notify: restarted('app') })
 */
export function restarted(unit: string): Handler {
  const restart = handler(`restart ${unit}`, sh`${knownTo(unit)}systemctl restart ${unit}`)
  return withEffect(restart, { action: 'restart', unit })
}

function withEffect(of: Handler, effect: HandlerEffect): Handler {
  return Object.freeze({ ...of, effect })
}

/** Makes systemd read the unit files first, if they have changed. */
function knownTo(unit: string): Shell {
  return sh`case $(systemctl show -p NeedDaemonReload --value ${unit} 2>/dev/null) in yes) systemctl daemon-reload;; esac && `
}

/**
 * Reboots the host and waits for it, for changes that only a boot applies, such as the kernel's command line.
 *
 * @example file('/etc/default/grub.d/quiet.cfg', 'GRUB_TIMEOUT=0\n', { notify: rebooted({ within: '10m' }) })
 */
export function rebooted({ within = '5m' }: { readonly within?: Duration } = {}): Handler {
  return withEffect(handler('reboot', rebooting(within)), { action: 'reboot' })
}

/** @param within the maximum time until the host is back */
export function rebooting(within: Duration): Command {
  return { script: sh`systemctl reboot`, reboots: within }
}
